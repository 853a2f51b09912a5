"""What `if` lines may ask of SpamAssassin, answered as Debian's 4.0.1 with its default plug-ins and no network would.

A plug-in that is not named here is not loaded: its rules are skipped by their own `ifplugin`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_PREFIX: Final = "Mail::SpamAssassin::"
# Plug-ins that the stock *.pre files load.
PLUGINS: Final = frozenset((
    "AskDNS", "AutoLearnThreshold", "Bayes", "BodyEval", "Check", "DKIM", "DMARC", "DNSEval", "FreeMail", "HTMLEval",
    "HTTPSMismatch", "HashBL", "HeaderEval", "ImageInfo", "MIMEEval", "MIMEHeader", "Pyzor", "Razor2", "RelayEval",
    "ReplaceTags", "SPF", "SpamCop", "URIDNSBL", "URIDetail", "URIEval", "VBounce", "WLBLEval", "WelcomeListSubject",
))  # fmt: skip
_RENAMED: Final = {"Dmarc": "DMARC", "WhiteListSubject": "WelcomeListSubject"}
# Features that `can(Class::feature)` may ask for and that 4.0.1 answers with true.
FEATURES: Final = frozenset((
    "Conf::compat_welcomelist_blocklist", "Conf::feature_bayes_auto_learn_on_error", "Conf::feature_bayes_stopwords",
    "Conf::feature_blocklist_welcomelist", "Conf::feature_bug6558_free", "Conf::feature_capture_rules",
    "Conf::feature_compile_regexp", "Conf::feature_dns_block_rule", "Conf::feature_dns_local_ports_permit_avoid",
    "Conf::feature_dns_query_restriction", "Conf::feature_edns", "Conf::feature_geodb", "Conf::feature_get_host",
    "Conf::feature_header_address_parser", "Conf::feature_header_first_last", "Conf::feature_header_match_many",
    "Conf::feature_local_tests_only", "Conf::feature_meta_rules_matching", "Conf::feature_originating_ip_headers",
    "Conf::feature_registryboundaries", "Conf::feature_subjprefix", "Conf::feature_uri_host_listed",
    "Conf::feature_welcomelist_blocklist", "Conf::feature_yesno_takes_args", "Conf::has_tflags_nolog",
    "Conf::has_tflags_nosubject", "Conf::perl_min_version_5010000", "Plugin::AskDNS::has_tag_header",
    "Plugin::BodyEval::has_check_body_length", "Plugin::BodyEval::has_plaintext_body_sig_ratio",
    "Plugin::DKIM::has_arc", "Plugin::DNSEval::has_tflags_domains_only", "Plugin::DNSEval::has_tflags_ips_only",
    "Plugin::HashBL::has_hashbl_attachments", "Plugin::HashBL::has_hashbl_bodyre",
    "Plugin::HashBL::has_hashbl_bodyre_num", "Plugin::HashBL::has_hashbl_email_domain",
    "Plugin::HashBL::has_hashbl_email_domain_alias", "Plugin::HashBL::has_hashbl_email_regex",
    "Plugin::HashBL::has_hashbl_email_welcomelist", "Plugin::HashBL::has_hashbl_email_whitelist",
    "Plugin::HashBL::has_hashbl_emails", "Plugin::HashBL::has_hashbl_ignore", "Plugin::HashBL::has_hashbl_sha256",
    "Plugin::HashBL::has_hashbl_tag", "Plugin::HashBL::has_hashbl_uris",
    "Plugin::MIMEEval::has_check_abundant_unicode_ratio", "Plugin::MIMEEval::has_check_for_ascii_text_illegal",
    "Plugin::MIMEEval::has_check_qp_ratio", "Plugin::MIMEHeader::has_all_header",
    "Plugin::MIMEHeader::has_capture_rules", "Plugin::MIMEHeader::has_tflags_concat",
    "Plugin::MIMEHeader::has_tflags_multiple", "Plugin::MIMEHeader::has_tflags_range", "Plugin::Pyzor::has_fork",
    "Plugin::Pyzor::has_perl", "Plugin::Razor2::has_fork", "Plugin::SPF::has_check_for_spf_errors",
    "Plugin::SPF::has_check_spf_skipped_noenvfrom", "Plugin::URIDNSBL::has_subtest_for_ranges",
    "Plugin::URIDNSBL::has_tflags_domains_only", "Plugin::URIDNSBL::has_tflags_notrim",
    "Plugin::URIDNSBL::has_uridnsbl_a_ns", "Plugin::URIDNSBL::has_uridnsbl_for_a",
    "Plugin::URIDNSBL::has_uridnsbl_skip_mailto", "Plugin::URIDetail::has_host_key",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dialect:
    """The SpamAssassin that conditions are answered for."""

    version: float = 4.000001
    perl_version: float = 5.036
    local_tests_only: bool = True
    plugins: frozenset[str] = field(default=PLUGINS)
    features: frozenset[str] = field(default=FEATURES)

    def holds(self, function: str, argument: str) -> bool:
        """Whether `plugin(argument)`, `can(argument)` or `has(argument)` is true."""
        name = argument.removeprefix(_PREFIX)
        if function == "plugin":
            plugin = name.removeprefix("Plugin::")
            return argument.startswith(_PREFIX) and (_RENAMED.get(plugin, plugin) in self.plugins)
        return argument.startswith(_PREFIX) and name in self.features


DIALECT: Final = Dialect()
