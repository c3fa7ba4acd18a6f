# HTTP::Entity::Parser, which Plack is made of.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use HTTP::Entity::Parser;
use JSON::PP;
use HTTP::Daemon;

my $parser = HTTP::Entity::Parser->new;
$parser->register("application/x-www-form-urlencoded", "HTTP::Entity::Parser::UrlEncoded");
$parser->register("multipart/form-data", "HTTP::Entity::Parser::MultiPart");
my $json = JSON::PP->new->latin1;

sub entry {
    my ($name, $file) = @_;
    open my $handle, "<:raw", $file->{tempname} or die;
    local $/;
    my $data = <$handle> // "";
    my ($type) = map { $file->{headers}[$_ + 1] } grep { $_ % 2 == 0 && lc $file->{headers}[$_] eq "content-type" } 0 .. $#{ $file->{headers} };
    return { name => $name, filename => $file->{filename}, content_type => $type, size => length $data, sha256 => sha256_hex($data) };
}

my $daemon = HTTP::Daemon->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], ReuseAddr => 1) or die;
while (my $connection = $daemon->accept) {
    while (my $request = $connection->get_request) {
        my $body = $request->content;
        open my $input, "<:raw", \$body or die;
        my %environment = (CONTENT_TYPE => scalar $request->header("Content-Type"), CONTENT_LENGTH => length $body, "psgi.input" => $input, "psgix.input.buffered" => 1);
        my ($fields, $files) = eval { $parser->parse(\%environment) };
        my $response = HTTP::Response->new($@ ? 400 : 200);
        $response->header("Content-Type" => "application/json", Connection => "close");
        my @pairs = @{ $fields // [] };
        my @form = map { { name => $pairs[2 * $_], value => $pairs[2 * $_ + 1] } } 0 .. @pairs / 2 - 1;
        my @uploads = @{ $files // [] };
        my @files = map { entry($uploads[2 * $_], $uploads[2 * $_ + 1]) } 0 .. @uploads / 2 - 1;
        $response->content($@ ? $json->encode({ error => "$@" }) : $json->encode({ form => \@form, files => \@files }));
        $connection->send_response($response);
        last;
    }
    $connection->close;
}
