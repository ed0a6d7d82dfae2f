# A biller as a PSGI application.
use strict;
use warnings;

sub {
    my ($environment) = @_;
    my $length = $environment->{CONTENT_LENGTH} // 0;
    my $request = '';
    while (length $request < $length) {
        $environment->{'psgi.input'}->read($request, $length - length $request, length $request) or last;
    }
    my ($text, $framing, $end) = $request =~ /"biller_user_key":"(\w+)\.(\w+)\.(\w+)/ or return [400, [], []];
    if ($request =~ /"pay_id":(\d+)/) {
        open my $heard, '>>', '@HEARD@' or die;
        syswrite $heard, "$1\n";
    }
    open my $file, '<:raw', '@ANSWERS@/' . $text or die;
    my $answer = do { local $/; <$file> };
    my $is_page = $text eq 'page';
    my @headers = ('Content-Type' => $is_page ? 'text/html' : 'application/json;charset=utf-8');
    push @headers, 'Connection' => 'close' if $end eq 'close';
    my $status = $is_page ? 500 : 200;
    return [$status, [@headers, 'Content-Length' => length $answer], [$answer]] if $framing eq 'length';
    return sub {
        my $writer = $_[0]->([$status, [@headers]]);
        my $half = int(length($answer) / 2);
        $writer->write(substr $answer, 0, $half);
        $writer->write(substr $answer, $half);
        $writer->close;
    };
};
