#!/usr/bin/perl
# What Mail::SpamAssassin makes of a folder of .cf files: one JSON object (bytes as latin-1 characters).
# usage: spamassassin_rules.pl RULES-DIR PRE-DIR
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;
use Mail::SpamAssassin;
use Mail::SpamAssassin::Conf::Parser;

my ($rules, $pre) = @ARGV;
my $site = tempdir(CLEANUP => 1);    # the plug-ins of the site, none of its rules
for my $file (glob "$pre/*.pre") {
    my ($name) = $file =~ m{([^/]+)$};
    symlink $file, "$site/$name" or die "$file: $!";
}
my %tests;                           # parsing throws them away when it is done
{
    no warnings 'redefine';
    my $finish = \&Mail::SpamAssassin::Conf::Parser::finish_parsing;
    *Mail::SpamAssassin::Conf::Parser::finish_parsing = sub {
        %tests = %{ $_[0]{conf}{tests} };
        $finish->(@_);
    };
}
my $main = Mail::SpamAssassin->new({
    local_tests_only => 1, dont_copy_prefs => 1, rules_filename => $rules, site_rules_filename => $site,
});
$main->init(0);
my $conf = $main->{conf};
my %patterns;
for my $name (keys %{ $conf->{test_qrs} }) {
    my $text = "$conf->{test_qrs}{$name}";
    $text =~ s/^\(\?\^[a-z]*://;
    $text =~ s/\)\s*\z//;
    $patterns{$name} = $text;
}
binmode STDOUT, ':raw';
print JSON::PP->new->latin1->canonical->encode({
    kinds => { map { $_ => $conf->{test_types}{$_} } keys %tests },
    scores => { map { $_ => 0 + ($conf->{scores}{$_} // 0) } keys %tests },
    flags => { map { $_ => $conf->{tflags}{$_} } grep { defined $conf->{tflags}{$_} } keys %tests },
    patterns => \%patterns,
    headers => { map { $_ => $conf->{test_opt_header}{$_} } keys %{ $conf->{test_opt_header} } },
    unset => $conf->{test_opt_unset} // {},
    negated => $conf->{test_opt_neg} // {},
});
