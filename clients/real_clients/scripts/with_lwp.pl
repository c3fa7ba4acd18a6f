# Perl's LWP: URL KIND.
use strict;
use warnings;
use HTTP::Request::Common qw(POST);
use LWP::UserAgent;

my ($url, $kind) = @ARGV;
$HTTP::Request::Common::DYNAMIC_FILE_UPLOAD = $kind eq 'chunked';
my $request = POST($url,
    Content_Type => 'form-data',
    Content => [note => $ENV{NOTE}, plain => [$ENV{PLAIN}], odd => [$ENV{ODD}]]);
$request->remove_header('Content-Length') if $kind eq 'chunked';    # no length: LWP sends chunks
$request->header(Expect => '100-continue') if $kind eq 'expect';
my $response = LWP::UserAgent->new->request($request);
die $response->status_line, "\n", $response->content unless $response->is_success;
