# Verifies mails with Mail::DKIM, as Debian packs it: a judge that shares no code with what signs.
# Standard input: for each mail a line with the number of its bytes, then the bytes. Argument: the port of a DNS server.
# Prints for each signature: number of the mail, selector, algorithm, result.
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS::Resolver;

my ($port) = @ARGV;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(
    nameservers => ['127.0.0.1'], port => $port, recurse => 1, udppacketsize => 4096, dnsrch => 0, defnames => 0,
    retry => 2, udp_timeout => 5, config_file => '/dev/null',
));
binmode STDIN;
my $number = 0;
while (defined(my $length = <STDIN>)) {
    chomp $length;
    my ($mail, $read) = ('', 0);
    while ($read < $length) {
        my $more = read(STDIN, $mail, $length - $read, $read);
        die "the mail is cut off\n" unless $more;
        $read += $more;
    }
    my $verifier = Mail::DKIM::Verifier->new();
    $verifier->PRINT($mail);
    $verifier->CLOSE;
    print join("\t", $number, $_->selector, $_->algorithm, $_->result_detail), "\n" for $verifier->signatures;
    $number++;
}
