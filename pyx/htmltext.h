/* HTML to readable text and links: one tolerant forward pass over UTF-8, no tree.
 *
 * What a reader sees as words comes out in order; block elements give a line end; script, style and comments
 * give nothing. Links are noted as spans: the address in the source, the words in the output. Rules followed are
 * those of the WHATWG tokenizer that matter here: a tag begins at '<' + letter, '/' or '!', attribute values may
 * be quoted or not, raw-text elements end only at their own end tag. */
#ifndef MXWARD_HTMLTEXT_H
#define MXWARD_HTMLTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum ht_kind { HT_A = 0, HT_IMG, HT_FORM, HT_FRAME, HT_SCRIPT, HT_OTHER };

typedef struct {
    size_t url_at, url_size;    /* in the source, entities not resolved */
    size_t text_at, text_size;  /* in the output: the words between <a> and </a>; empty for other elements */
    int kind;                   /* ht_kind */
} ht_link;

typedef struct {
    const uint8_t *data; size_t size;  /* source */
    uint8_t *out; size_t n;            /* output; never longer than the source */
    ht_link *links; size_t n_links, max_links;
    int64_t open_link;                 /* index of the <a> whose words are being read, or -1 */
    int n_forms, n_passwords, n_scripts;
} ht_state;

static inline uint8_t ht_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
static inline int ht_space(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }
static inline int ht_letter(uint8_t c) { c = ht_lower(c); return c >= 'a' && c <= 'z'; }

/* Is the name at [at, at+n) `word` (lower case), any case? */
static int ht_is(const uint8_t *at, size_t n, const char *word)
{
    if (strlen(word) != n) return 0;
    for (size_t i = 0; i < n; i++)
        if (ht_lower(at[i]) != (uint8_t)word[i]) return 0;
    return 1;
}

/* UTF-8 of one code point; at most 4 bytes. Surrogates and what is out of range give '?'. */
static size_t ht_utf8(uint32_t c, uint8_t *out)
{
    if (c < 0x80) { out[0] = c ? (uint8_t)c : ' '; return 1; }
    if (c < 0x800) { out[0] = 0xc0 | c >> 6; out[1] = 0x80 | (c & 63); return 2; }
    if (c >= 0xd800 && c < 0xe000) { out[0] = '?'; return 1; }
    if (c < 0x10000) { out[0] = 0xe0 | c >> 12; out[1] = 0x80 | (c >> 6 & 63); out[2] = 0x80 | (c & 63); return 3; }
    if (c > 0x10ffff) { out[0] = '?'; return 1; }
    out[0] = 0xf0 | c >> 18; out[1] = 0x80 | (c >> 12 & 63); out[2] = 0x80 | (c >> 6 & 63); out[3] = 0x80 | (c & 63);
    return 4;
}

/* A numeric reference "&#65;" or "&#x41;". Returns the source length, 0 when it is none. The output is at most as
 * long as the source: "&#1" gives 1 byte, code points of 2, 3 and 4 bytes need 3, 4 and 5 digits. */
static size_t ht_numeric(const uint8_t *at, size_t left, uint8_t *out, size_t *n)
{
    size_t i = 2;
    uint32_t value = 0;
    int hex = left > 2 && ht_lower(at[2]) == 'x';
    i += hex;
    size_t first = i;
    for (; i < left && i < 12; i++) {
        uint8_t c = ht_lower(at[i]);
        if (c >= '0' && c <= '9') value = value * (hex ? 16 : 10) + (c - '0');
        else if (hex && c >= 'a' && c <= 'f') value = value * 16 + (c - 'a' + 10);
        else break;
        if (value > 0x10ffff) value = 0x110000;
    }
    if (i == first) return 0;
    *n += ht_utf8(value, out + *n);
    return i < left && at[i] == ';' ? i + 1 : i;
}

/* A named reference; the dozen that hide words. Others stay as written. */
static size_t ht_named(const uint8_t *at, size_t left, uint8_t *out, size_t *n)
{
    static const struct { const char *name; const char *text; } NAMES[] = {
        { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" }, { "&quot;", "\"" }, { "&apos;", "'" }, { "&nbsp;", " " },
        { "&shy;", "" }, { "&zwnj;", "" }, { "&zwj;", "" }, { "&ensp;", " " }, { "&emsp;", " " }, { "&thinsp;", " " },
        { "&rsquo;", "'" }, { "&lsquo;", "'" }, { "&ldquo;", "\"" }, { "&rdquo;", "\"" }, { "&ndash;", "-" },
        { "&mdash;", "-" }, { "&hellip;", "..." }, { "&colon;", ":" }, { "&period;", "." }, { "&sol;", "/" },
        { "&pound;", "\xc2\xa3" }, { "&euro;", "\xe2\x82\xac" }, { "&commat;", "@" }, { "&NewLine;", "\n" },
    };
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        size_t size = strlen(NAMES[i].name), text = strlen(NAMES[i].text);
        if (size > left || memcmp(at, NAMES[i].name, size) != 0) continue;
        memcpy(out + *n, NAMES[i].text, text);
        *n += text;
        return size;
    }
    return 0;
}

/* Past a comment, a declaration or a processing instruction that begins at `at`. */
static size_t ht_skip_markup(const uint8_t *data, size_t size, size_t at)
{
    if (size - at >= 4 && memcmp(data + at, "<!--", 4) == 0) {
        const uint8_t *end = memmem(data + at + 4, size - at - 4, "-->", 3);
        return end ? (size_t)(end - data) + 3 : size;
    }
    const uint8_t *end = memchr(data + at, '>', size - at);
    return end ? (size_t)(end - data) + 1 : size;
}

/* Past the end tag of a raw-text element (script, style); everything when it never ends. */
static size_t ht_skip_raw(const uint8_t *data, size_t size, size_t at, const char *name)
{
    size_t n = strlen(name);
    while (at < size) {
        const uint8_t *lt = memchr(data + at, '<', size - at);
        if (lt == NULL) return size;
        at = (size_t)(lt - data);
        if (size - at > n + 2 && data[at + 1] == '/' && ht_is(data + at + 2, n, name)) return ht_skip_markup(data, size, at);
        at++;
    }
    return size;
}

static void ht_note(ht_state *s, const uint8_t *tag, size_t n, size_t url_at, size_t url_size)
{
    if (s->n_links >= s->max_links) return;
    int kind = ht_is(tag, n, "a") || ht_is(tag, n, "area") ? HT_A
        : ht_is(tag, n, "img") || ht_is(tag, n, "image") ? HT_IMG
        : ht_is(tag, n, "form") || ht_is(tag, n, "button") || ht_is(tag, n, "input") ? HT_FORM
        : ht_is(tag, n, "iframe") || ht_is(tag, n, "frame") || ht_is(tag, n, "embed") ? HT_FRAME
        : ht_is(tag, n, "script") ? HT_SCRIPT : HT_OTHER;
    ht_link *link = &s->links[s->n_links];
    *link = (ht_link){ url_at, url_size, s->n, 0, kind };
    if (kind == HT_A) s->open_link = (int64_t)s->n_links;
    s->n_links++;
}

static void ht_attribute(ht_state *s, const uint8_t *tag, size_t n, const uint8_t *name, size_t name_size,
                         size_t value_at, size_t value_size)
{
    if (ht_is(name, name_size, "href") || ht_is(name, name_size, "src") || ht_is(name, name_size, "action")
        || ht_is(name, name_size, "formaction") || ht_is(name, name_size, "background")
        || (ht_is(name, name_size, "data") && ht_is(tag, n, "object")))
        ht_note(s, tag, n, value_at, value_size);
    else if (ht_is(name, name_size, "type") && ht_is(tag, n, "input") && ht_is(s->data + value_at, value_size, "password"))
        s->n_passwords++;
    else if (ht_is(tag, n, "meta") && ht_is(name, name_size, "content")) {
        const uint8_t *v = s->data + value_at;  /* refresh: "0; url=..." */
        for (size_t i = 0; i + 4 <= value_size && i < 64; i++)
            if (ht_lower(v[i]) == 'u' && ht_is(v + i, 4, "url=")) {
                ht_note(s, tag, n, value_at + i + 4, value_size - i - 4);
                return;
            }
    }
}

/* Attributes from `at` to the '>' of the tag; returns the offset past it. */
static size_t ht_attributes(ht_state *s, const uint8_t *tag, size_t tag_size, size_t at)
{
    const uint8_t *data = s->data;
    size_t size = s->size;
    while (at < size && data[at] != '>') {
        if (ht_space(data[at]) || data[at] == '/') { at++; continue; }
        size_t name = at, value, end;
        while (at < size && !ht_space(data[at]) && data[at] != '=' && data[at] != '>' && (data[at] != '/' || at == name)) at++;
        size_t name_size = at - name;
        while (at < size && ht_space(data[at])) at++;
        if (at >= size || data[at] != '=') { if (name_size == 0) at++; continue; }
        at++;
        while (at < size && ht_space(data[at])) at++;
        if (at < size && (data[at] == '"' || data[at] == '\'')) {
            const uint8_t *quote = memchr(data + at + 1, data[at], size - at - 1);
            value = at + 1;
            end = quote ? (size_t)(quote - data) : size;
            at = quote ? end + 1 : size;
        } else {
            value = at;
            while (at < size && !ht_space(data[at]) && data[at] != '>') at++;
            end = at;
        }
        ht_attribute(s, tag, tag_size, data + name, name_size, value, end - value);
    }
    return at < size ? at + 1 : size;
}

/* Elements that stand inside a line; all others end one. */
static int ht_inline(const uint8_t *tag, size_t n)
{
    static const char *const INLINE[] = {
        "a", "b", "i", "u", "em", "font", "span", "strong", "small", "big", "sub", "sup", "tt", "code", "abbr", "mark",
        "ins", "del", "s", "q", "wbr", "bdo", "bdi", "label", "img",
    };
    for (size_t i = 0; i < sizeof(INLINE) / sizeof(INLINE[0]); i++)
        if (ht_is(tag, n, INLINE[i])) return 1;
    return 0;
}

/* One tag at `at` ('<' + letter or '</' + letter); returns the offset past it. */
static size_t ht_tag(ht_state *s, size_t at)
{
    const uint8_t *data = s->data;
    int closing = data[at + 1] == '/';
    size_t name = at + 1 + closing, end = name;
    while (end < s->size && !ht_space(data[end]) && data[end] != '>' && data[end] != '/') end++;
    const uint8_t *tag = data + name;
    size_t n = end - name;
    if (closing && n == 1 && ht_lower(tag[0]) == 'a' && s->open_link >= 0) {
        ht_link *link = &s->links[s->open_link];
        link->text_size = s->n - link->text_at;
        s->open_link = -1;
    }
    if (!ht_inline(tag, n) && s->n && s->out[s->n - 1] != '\n') s->out[s->n++] = '\n';
    s->n_forms += !closing && ht_is(tag, n, "form");
    end = closing ? ht_skip_markup(data, s->size, at) : ht_attributes(s, tag, n, end);
    if (closing) return end;
    if (ht_is(tag, n, "script")) { s->n_scripts++; return ht_skip_raw(data, s->size, end, "script"); }
    return ht_is(tag, n, "style") ? ht_skip_raw(data, s->size, end, "style") : end;
}

/* The whole pass. The output never outgrows the source: a tag of 3 bytes or more gives at most one byte. */
static void ht_run(ht_state *s)
{
    size_t at = 0;
    while (at < s->size) {
        uint8_t c = s->data[at];
        if (c == '<' && s->size - at >= 3) {
            uint8_t next = s->data[at + 1];
            if (next == '!' || next == '?') { at = ht_skip_markup(s->data, s->size, at); continue; }
            if (ht_letter(next) || (next == '/' && ht_letter(s->data[at + 2]))) { at = ht_tag(s, at); continue; }
        } else if (c == '&' && s->size - at >= 3) {
            size_t used = s->data[at + 1] == '#' ? ht_numeric(s->data + at, s->size - at, s->out, &s->n)
                                                 : ht_named(s->data + at, s->size - at, s->out, &s->n);
            if (used) { at += used; continue; }
        }
        s->out[s->n++] = c;
        at++;
    }
    if (s->open_link >= 0) s->links[s->open_link].text_size = s->n - s->links[s->open_link].text_at;
}
#endif
