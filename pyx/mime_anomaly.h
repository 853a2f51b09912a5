/* The one table of malformations: X(name, ambiguous, what it is, the client behaviour it exploits).
 *
 * `ambiguous` 1: mail clients disagree about structure or content, so a verdict on one reading alone is unsafe, and
 * ordinary mail does not look so. Where ordinary mail does (bounces that quote mail, mailers that forget the boundary)
 * the other reading has rows of its own, but the message as a whole is not called ambiguous.
 * The enum, the names and docs/anomalies.md are all made from this list. New entries go at the end of their group.
 */
#ifndef MXWARD_MIME_ANOMALY_H
#define MXWARD_MIME_ANOMALY_H

#define MIME_ANOMALIES(X) \
    /* limits */ \
    X(too_many_parts, 1, "more parts than the limit; the rest is one opaque part", \
      "scanners that give up pass what follows") \
    X(too_deep, 1, "nesting deeper than the limit; the entity is kept as one opaque part", \
      "recursive parsers crash or stop, clients go on") \
    X(too_many_fields, 0, "more header fields in one part than the limit; the rest is not indexed", \
      "parsers drop late fields, clients read them") \
    X(header_too_long, 1, "header section longer than the limit; the body is taken to start at the limit", \
      "parsers stop early, clients read the fields behind") \
    X(too_many_parameters, 1, "more parameters in one field than the limit; the rest is not read", \
      "quadratic parsers time out, clients use the last one") \
    X(too_many_readings, 1, "more alternative readings than the limit; some were not followed", \
      "scanners that follow a few readings miss one") \
    X(decode_budget, 1, "nested encoded containers exceed the decoding budget; the innermost stay encoded", \
      "scanners give up, clients unpack on demand") \
    X(message_too_large, 1, "message larger than 4 GiB; what lies behind is not read", \
      "scanners cut, clients download all") \
    /* bytes and lines */ \
    X(nul_byte, 0, "NUL byte in the message", "C programs end the text there, others drop or keep it") \
    X(bare_cr, 0, "carriage return without line feed", "some clients end a line there") \
    X(mixed_line_ends, 0, "both CRLF and bare LF line ends", "relays normalise, signatures and parsers differ") \
    X(long_line, 0, "line longer than 998 bytes (RFC 5322 2.1.1)", \
      "relays break the line, so the recipient sees another message") \
    X(bare_cr_structure, 1, "the part structure changes when a bare CR counts as a line end", \
      "clients with universal line ends see other fields and parts") \
    X(raw_8bit_header, 0, "bytes above 127 in a header field", "clients guess the charset") \
    /* header section */ \
    X(mbox_from_line, 0, "mbox 'From ' line before the header", "none known; storage format") \
    X(fold_without_field, 0, "the header starts with a folded line", \
      "some clients end the header there, some skip the line") \
    X(blank_fold, 0, "folded line of white space only in the header", \
      "some clients take it for the end of the header") \
    X(blank_fold_hides_field, 1, "MIME fields follow a white-space-only line in the header", \
      "clients that end the header there see other type and encoding") \
    X(space_before_colon, 0, "white space between field name and colon (RFC 5322 4.5.8)", \
      "some clients ignore the field, some accept it") \
    X(space_before_mime_colon, 1, "white space between the name of a MIME field and its colon", \
      "some clients ignore the field, some accept it") \
    X(field_without_name, 0, "header line that starts with a colon", "some clients end the header there") \
    X(junk_in_header, 0, "header line that is no field", "some clients end the header there, some skip the line") \
    X(junk_hides_field, 1, "MIME fields follow a line that is no field", \
      "clients that end the header there see other type and encoding") \
    X(field_in_fold, 1, "a MIME field hides in the folded part of a malformed field", \
      "clients that drop the malformed line read the fold as a field") \
    X(double_colon, 1, "MIME field name followed by two colons", "some clients skip both colons") \
    X(missing_colon, 1, "name of a MIME field without its colon", "some clients read it as the field") \
    X(control_before_name, 1, "control bytes before the name of a MIME field", \
      "some clients skip them, some end the line there") \
    X(missing_blank_line, 0, "no empty line between header and body", "some clients lose the first body line") \
    X(header_cut_by_boundary, 0, "a delimiter line ends the header section", \
      "some clients look for the empty line behind it") \
    X(no_header, 0, "the part starts with its body, without the empty line that ends its (empty) header", \
      "clients disagree where the body starts") \
    X(duplicate_field, 0, "a field that may occur once occurs again (RFC 5322 3.6)", \
      "clients show the first or the last one") \
    X(duplicate_content_type, 1, "several Content-Type fields that differ", "clients take the first or the last one") \
    X(duplicate_encoding, 1, "several Content-Transfer-Encoding fields that differ", \
      "clients take the first or the last one") \
    /* content type and parameters */ \
    X(type_syntax, 0, "Content-Type is not type/subtype followed by parameters", \
      "clients fall back to plain text or guess") \
    X(comment_in_mime_field, 0, "comment in Content-Type or Content-Transfer-Encoding (RFC 5322 3.2.2)", \
      "many clients do not know comments there") \
    X(parameter_syntax, 0, "odd quoting, white space or separator in the parameters of a multipart", \
      "clients cut values at different places") \
    X(multipart_syntax, 1, "damaged Content-Type that some clients still read as multipart", \
      "clients that repair the type see parts") \
    X(duplicate_boundary, 1, "several boundary parameters that differ", "clients take the first or the last one") \
    X(boundary_syntax, 1, "boundary parameter with odd quoting, comment, escape, white space or separator", \
      "clients cut the value at different places") \
    X(boundary_folded, 1, "line fold inside the boundary value", "clients keep, shorten or drop the white space") \
    X(boundary_rfc2231, 1, "boundary given by RFC 2231 extension or continuation", \
      "many clients know only the plain form") \
    X(boundary_missing, 0, "multipart without boundary parameter", \
      "clients guess the boundary from the body, or show text") \
    X(boundary_empty, 1, "empty boundary", "clients split at every '--' line or not at all") \
    X(boundary_too_long, 0, "boundary longer than 70 characters (RFC 2046 5.1.1)", "clients cut it") \
    X(name_conflict, 0, "clients would show different file names for the part", \
      "filters judge one name, the user opens another") \
    X(charset_unknown, 0, "charset that no codec knows", "clients guess") \
    /* structure */ \
    X(boundary_never_used, 0, "the boundary of a multipart does not occur in its body", \
      "clients guess another boundary or show text") \
    X(boundary_guessed, 0, "a multipart without usable boundary whose body holds parts", \
      "clients guess the boundary from the body") \
    X(multipart_empty, 0, "multipart that closes without a part (RFC 2046 5.1.1 asks for one)", \
      "clients show nothing or the text around") \
    X(missing_close, 0, "multipart without closing delimiter", "none known; clients end it with the enclosing part") \
    X(boundary_prefix, 1, "a line starts like the delimiter and goes on (RFC 2046 compares the beginning only)", \
      "some clients split there, some do not") \
    X(boundary_nested_same, 1, "a nested multipart has the boundary of an enclosing one", \
      "clients assign the delimiter to the inner or the outer") \
    X(part_after_close, 1, "delimiter of a multipart behind its closing delimiter", "some clients go on splitting") \
    X(mime_in_preamble, 1, "MIME parts in the text before the first delimiter", \
      "clients that guess boundaries show them") \
    X(mime_in_epilogue, 0, "MIME parts in the text behind the closing delimiter", \
      "clients that ignore the closing delimiter show them") \
    X(mime_in_text, 0, "a text body that looks like MIME parts", \
      "clients that guess show them; bounces quote mail like this") \
    X(undeclared_multipart, 0, "parts in the body of an entity whose header does not declare them", \
      "clients that guess show them") \
    X(encoded_multipart, 0, "multipart with base64 or another transfer encoding (RFC 2045 6.4 forbids it)", \
      "some clients decode first, then split") \
    X(encoded_multipart_parts, 1, "a multipart whose body holds parts only after transfer decoding", \
      "some clients decode first, some never do") \
    X(inner_after_outer, 1, "a nested multipart goes on behind a delimiter of the enclosing one", \
      "clients that watch the innermost boundary only see other parts") \
    X(encoded_message, 0, "message part with a transfer encoding (allowed for message/global only)", \
      "some clients decode first, some read it raw") \
    X(message_partial, 1, "message/partial: one piece of a message that clients put together", \
      "content is complete only behind the scanner") \
    X(message_external_body, 1, "message/external-body: the content lies elsewhere", \
      "the client fetches content that was not scanned") \
    /* transfer encodings */ \
    X(encoding_unknown, 0, "unknown Content-Transfer-Encoding", "clients show the raw text or guess") \
    X(encoding_blank, 0, "white space behind the Content-Transfer-Encoding", \
      "clients that compare the whole value do not decode") \
    X(encoding_syntax, 1, "damaged or misspelt Content-Transfer-Encoding that some clients still read", \
      "some clients decode, some do not") \
    X(encoding_unusual, 1, "uuencode, yEnc, BinHex or gzip64 as transfer encoding (not in RFC 2045)", \
      "some clients decode, some do not") \
    X(base64_undeclared, 1, "a body of nothing but base64 without the field that says so", \
      "some clients decode attachments by look") \
    X(base64_junk, 0, "characters outside the base64 alphabet in a base64 body", \
      "clients skip them, stop there or skip the line") \
    X(base64_junk_ambiguous, 1, "stray characters in base64 that lead clients to different bytes", \
      "clients skip the character, stop there or skip the line") \
    X(base64_inner_padding, 1, "base64 padding before the end of the data", \
      "clients stop there, skip it or start a new group") \
    X(base64_truncated, 0, "base64 data that ends inside a group", "clients drop or keep the last bytes") \
    X(base64_line_shift, 1, "line lengths in base64 that are no multiple of four and do not add up", \
      "clients that decode line by line see other bytes") \
    X(qp_bad_escape, 0, "quoted-printable '=' without two hex digits", "clients keep, drop or repair it") \
    X(qp_ambiguous, 1, "damaged quoted-printable escapes that hide proper ones", \
      "clients keep, drop or repair the escape") \
    X(qp_mixed_case, 0, "both lower-case and upper-case hex digits in quoted-printable", \
      "strict clients drop the lower-case ones") \
    X(uuencode_block, 0, "uuencoded file in a text body", "clients show it as an attachment or as text") \
    X(yenc_block, 0, "yEnc file in a text body", "clients show it as an attachment or as text") \
    X(binhex_block, 0, "BinHex file in a text body", "clients show it as an attachment or as text")

#define X(name, ambiguous, what, exploits) AN_##name,
enum { MIME_ANOMALIES(X) AN_COUNT };
#undef X

typedef struct {
    const char* name;
    int ambiguous;
    const char* what;
    const char* exploits;
} AnomalyText;

#define X(name, ambiguous, what, exploits) {#name, ambiguous, what, exploits},
static const AnomalyText ANOMALY_TEXT[] = {MIME_ANOMALIES(X)};
#undef X

#endif
