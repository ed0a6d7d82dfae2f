# A biller on HTTP::Daemon, one process per connection.
use strict;
use warnings;
use HTTP::Daemon;
use HTTP::Response;

$SIG{CHLD} = 'IGNORE';
my $daemon = HTTP::Daemon->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], ReuseAddr => 1, Listen => 64) or die;
while (1) {
    my $connection = $daemon->accept or next;
    if (fork) {
        $connection->close;
        next;
    }
    # As the module's own example has it, with its usual time-out of one second between requests.
    $connection->timeout(1);
    while (my $request = $connection->get_request) {
        answer($connection, $request->content);
    }
    exit;
}

sub answer {
    my ($connection, $request) = @_;
    my ($text, $framing, $end) = $request =~ /"biller_user_key":"(\w+)\.(\w+)\.(\w+)/
        or return $connection->send_error(400);
    if ($request =~ /"pay_id":(\d+)/) {
        open my $heard, '>>', '@HEARD@' or die;
        syswrite $heard, "$1\n";
    }
    open my $file, '<:raw', '@ANSWERS@/' . $text or die;
    my $answer = do { local $/; <$file> };
    my $is_page = $text eq 'page';
    my $response = HTTP::Response->new($is_page ? 500 : 200);
    $response->header('Content-Type' => $is_page ? 'text/html' : 'application/json;charset=utf-8');
    if ($end eq 'close') {
        $response->header('Connection' => 'close');
        $connection->force_last_request;
    }
    my $half = int(length($answer) / 2);
    my @pieces = (substr($answer, 0, $half), substr($answer, $half));
    $response->content($framing eq 'length' ? $answer : sub { shift @pieces });
    $connection->send_response($response);
}
