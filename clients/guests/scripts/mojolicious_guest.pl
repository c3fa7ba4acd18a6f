# Mojolicious: a parser of its own.
use Mojolicious::Lite -signatures;
use Digest::SHA qw(sha256_hex);

post "/" => sub ($c) {
    my $pairs = $c->req->body_params->pairs;
    my @form = map { { name => $pairs->[2 * $_], value => $pairs->[2 * $_ + 1] } } 0 .. @$pairs / 2 - 1;
    my @files = map { { name => $_->name, filename => $_->filename, content_type => $_->headers->content_type, size => $_->size, sha256 => sha256_hex($_->slurp) } } @{ $c->req->uploads };
    my $is_json = ($c->req->headers->content_type // "") =~ m{^application/json};
    $c->render(json => { form => \@form, files => \@files, json => $is_json ? $c->req->json : undef });
};
app->log->level("fatal");
app->start("daemon", "-l", "http://127.0.0.1:$ARGV[0]", "-m", "production");
