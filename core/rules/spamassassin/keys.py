"""The settings of SpamAssassin 4.0.1 and its plug-ins that are no rules: known, kept for eval tests, or ignored."""

from __future__ import annotations

import re
from typing import Final

# Commands that define a rule which asks the network.
NETWORK_RULES: Final = frozenset((
    "askdns", "urirhssub", "urirhsbl", "uridnsbl", "uridnssub", "urinsrhsbl", "urinsrhssub", "urifullnsrhsbl",
    "urifullnsrhssub", "uri_block_cc", "uri_block_cidr", "uri_block_cont", "uri_block_isp",
))  # fmt: skip
# Settings known by their whole name. Families are below.
_KNOWN: Final = frozenset((
    "add_header", "adsp_override", "all_spam_to", "allow_user_rules", "always_trust_envelope_sender",
    "blocklist_from", "blocklist_subject", "blocklist_to", "blocklist_uri_host", "body_part_scan_size",
    "country_db_path", "country_db_type", "delist_uri_host", "enable_compat", "enlist_addrlist", "enlist_uri_host",
    "envelope_sender_header", "fold_headers", "ignore_always_matching_regexps", "ignore_received_spf_header",
    "inactive_languages", "internal_networks", "loadplugin", "tryplugin", "lock_method", "max_short_urls",
    "max_short_url_redirections", "mbox_format_from_regex", "more_spam_to", "msa_networks", "normalize_charset",
    "ok_languages", "ok_locales", "originating_ip_headers", "parse_dkim_uris", "rawbody_part_scan_size",
    "rbl_headers", "rbl_timeout", "redirector_pattern", "remove_header", "required_score", "required_hits",
    "rewrite_header", "run_reuse_tests_only", "skip_rbl_checks", "skip_uribl_checks", "subjprefix", "time_limit",
    "trusted_networks", "uri_host_lists", "url_shortener", "util_rb_2tld", "util_rb_3tld", "util_rb_tld",
    "version_tag", "priority", "util_rb", "url_shorteners",
))  # fmt: skip
_FAMILY: Final = re.compile(
    r"(?:(?:def_|un)?(?:welcome|white|block|black)list_|auto_(?:welcome|white)list_|use_|bayes_|dns_|dkim_|dmarc_"
    r"|spf_|do_not_use_|dcc|pyzor_|razor_|spamcop_|textcat_|txrep_|user_awl_|user_scores_|report|unsafe_report"
    r"|shortcircuit|resource_limit_|phishing_|olemacro_|hashbl_|geodb_|freemail_|fns_|extracttext_|authres_|asn_"
    r"|uridnsbl_|url_shortener_|trigger_|uri_country_|uri_block_exclude|clear_)\w*"
)
_CLEARED: Final = {
    "clear_util_rb": ("util_rb_tld", "util_rb_2tld", "util_rb_3tld"),
    "clear_asn_lookups": ("asn_lookup",),
    "clear_dns_servers": ("dns_server",),
}


def is_setting(key: str) -> bool:
    """Whether SpamAssassin or one of its plug-ins knows the setting."""
    return key in _KNOWN or _FAMILY.fullmatch(key) is not None


def cleared_by(key: str) -> tuple[str, ...]:
    """The settings that a `clear_…` line empties; () for any other key."""
    if not key.startswith("clear_"):
        return ()
    return _CLEARED.get(key, (key.removeprefix("clear_"),))
