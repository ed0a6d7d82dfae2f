# Perl's LWP: `lwp.pl URL CALLS CA`.
use strict;
use warnings;
use LWP::UserAgent;

my ($url, $calls, $ca) = @ARGV;
my $agent = LWP::UserAgent->new(keep_alive => 1, timeout => 10, ssl_opts => $ca ? { SSL_ca_file => $ca } : {});
open my $lines, '<:raw', $calls or die;
while (my $line = <$lines>) {
    chomp $line;
    my ($path, $authorization, $body) = split /\t/, $line;
    my @headers = ('Content-Type' => 'application/json;charset=utf-8');
    push @headers, Authorization => $authorization if $authorization ne '-';
    my $answer = $agent->post($url . $path, @headers, Content => $body);
    my $text = $answer->content;
    $text =~ tr/\n/ /;
    print $answer->code, "\t$text\n";
}
