# Runs Debian's SpamAssassin over messages in one process and writes one JSON line for each.
#
#   perl spamassassin.pl RULES_DIR PRE_DIR < list of files, one a line
#
# Each line: hits (rule => count), body, rawbody, uris, uri_detail, html, relays, cpu_s. Bytes stand as Latin-1.
# Network tests, Bayes, user preferences and learning are off. A line ["ready", load_s] comes first.
use strict;
use warnings;
use JSON::PP;
use Time::HiRes qw(clock);
use Mail::SpamAssassin;
use Mail::SpamAssassin::PerMsgStatus;

my ($rules, $pre) = @ARGV;
my $json = JSON::PP->new->ascii->canonical->allow_nonref->allow_blessed;
my $from = clock();
my $sa = Mail::SpamAssassin->new({
    rules_filename => $rules, site_rules_filename => $pre, userprefs_filename => "$pre/none", local_tests_only => 1,
    dont_copy_prefs => 1, home_dir_for_helpers => $pre, userstate_dir => $pre, require_rules => 1,
    post_config_text => join("\n", "use_bayes 0", "time_limit 0", "dns_available no", "use_auto_welcomelist 0",
        "required_score 5", ($ENV{MXTEST_SA_EXTRA} // "")) . "\n",
});
$sa->init(1);
$sa->compile_now(0, 1) if $ENV{MXTEST_SA_COMPILE};
$| = 1;
print $json->encode(["ready", clock() - $from]), "\n";

my %skipped = map { $_ => 1 } qw(uri_detail uri anchor inside comment script title);

while (my $path = <STDIN>) {
    chomp $path;
    open(my $file, "<:raw", $path) or die "$path: $!";
    my $raw = do { local $/; <$file> };
    close $file;
    my $start = clock();
    my $message = $sa->parse(\$raw, 1);
    my $status = Mail::SpamAssassin::PerMsgStatus->new($sa, $message);
    # before the check: the FreeMail plug-in cuts addresses out of the lines that it is given
    my @body = map { "$_" } @{$message->get_rendered_body_text_array()};
    $status->check();
    my $spent = clock() - $start;
    my %hits = map { $_ => 0 + $status->{tests_already_hit}{$_} }
        grep { $status->{tests_already_hit}{$_} } keys %{$status->{tests_already_hit}};
    my %result = (hits => \%hits, cpu_s => $spent);
    unless ($ENV{MXTEST_SA_HITS_ONLY}) {
        $result{body} = \@body;
        $result{rawbody} = [map { "$_" } @{$status->get_decoded_body_text_array()}];
        $result{uris} = [sort { $a cmp $b } $status->get_uri_list()];
        my %detail = %{$status->get_uri_detail_list()};
        for my $uri (keys %detail) {
            my $known = $detail{$uri};
            $result{uri_detail}{bytes($uri)} = {
                types => [sort keys %{$known->{types} || {}}], cleaned => [sort map { bytes($_) } @{$known->{cleaned} || []}],
                text => [map { bytes($_) } @{$known->{anchor_text} || []}], domains => [sort map { bytes($_) } keys %{$known->{domains} || {}}],
                hosts => [sort map { bytes($_) } keys %{$known->{hosts} || {}}],
            };
        }
        $result{html} = [map { html($_) } @{$status->{html_all} || []}];
        $result{relays} = {map { $_ => "" . ($status->{"relays_${_}_str"} // "") } qw(trusted untrusted internal external)};
        $result{relays}{unparseable} = 0 + $status->{num_relays_unparseable};
        $result{headers} = {map { $_ => joined($status, $_) } split(/\s+/, $ENV{MXTEST_SA_HEADERS} // "")};
    }
    $status->finish();
    $message->finish();
    print $json->encode(clean(\%result)), "\n";
}

sub bytes { my $text = shift; utf8::encode($text) if utf8::is_utf8($text); return $text }

# A header as header rules see it; undef when there is none.
sub joined {
    my ($status, $name) = @_;
    my @found = $status->get($name);
    return undef unless @found;
    return join($found[0] =~ /\n\z/ ? "" : "\n", map { bytes($_) } @found);
}

# The scalars and lists of one HTML part's analysis that eval tests look at.
sub html {
    my $known = shift;
    my %found;
    for my $key (keys %$known) {
        my $value = $known->{$key};
        if (ref $value eq "ARRAY") { $found{$key} = [map { bytes($_ // "") } @$value] if $key ne "uri" }
        elsif ($key eq "inside") { $found{$key} = {%$value} }
        elsif (!ref $value) { $found{$key} = defined $value ? bytes("$value") : undef }
    }
    return \%found;
}

# Perl keeps bytes and characters in one kind of string: give bytes only.
sub clean {
    my $value = shift;
    if (ref $value eq "HASH") { return {map { bytes($_) => clean($value->{$_}) } keys %$value} }
    if (ref $value eq "ARRAY") { return [map { clean($_) } @$value] }
    return $value if !defined $value || ref $value;
    return bytes($value) if $value =~ /\D/;
    return $value;
}
