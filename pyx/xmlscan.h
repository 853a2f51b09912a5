/* One pass over XML as office programs write it: the text of named elements, places of named tags.
 *
 * No tree, no entities of its own, nothing is fetched. Well-formedness is not judged: what a strict reader refuses is
 * read as far as it goes. Source: XML 1.0 (5th edition) 2.4 to 2.7, 3.1, 4.1. */
#ifndef MXWARD_XMLSCAN_H
#define MXWARD_XMLSCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { XS_TEXT = 1, XS_CODE = 2, XS_LINE = 4, XS_GAP = 8, XS_TAG = 16, XS_CODE_LINE = 32, XS_UNSHARED = 64 };
enum { XS_SLOTS = 256, XS_MAX_NAMES = 128, XS_MAX_NAME = 40 };

typedef struct { uint8_t size, actions; int16_t next; char bytes[XS_MAX_NAME]; } xs_name;
typedef struct { int16_t first[XS_SLOTS]; int n; xs_name names[XS_MAX_NAMES]; } xs_table;
typedef struct { int name; size_t start, end; } xs_tag;  /* attributes: [start, end) */
typedef struct {
    char *text, *code;          /* each has room for the size of the input */
    size_t n_text, n_code;
    xs_tag *tags;               /* room for max_tags */
    size_t n_tags, max_tags;
    int declares;               /* a document type, or entities, are declared */
    int overflow;               /* there were more tags */
} xs_out;

static inline unsigned xs_slot(const uint8_t *name, size_t n)
{
    return (unsigned)(n * 31 + name[0] * 7u + name[n - 1] * 3u) & (XS_SLOTS - 1);
}

/* The number of a name in the table, -1 when it is not there. */
static inline int xs_lookup(const xs_table *table, const uint8_t *name, size_t n)
{
    if (!n || n >= XS_MAX_NAME) return -1;
    for (int at = table->first[xs_slot(name, n)]; at >= 0; at = table->names[at].next)
        if (table->names[at].size == n && memcmp(table->names[at].bytes, name, n) == 0) return at;
    return -1;
}

static int xs_add(xs_table *table, const char *name, size_t n, int actions)
{
    if (!n || n >= XS_MAX_NAME || table->n >= XS_MAX_NAMES) return -1;
    xs_name *row = &table->names[table->n];
    unsigned slot = xs_slot((const uint8_t *)name, n);
    row->size = (uint8_t)n;
    row->actions = (uint8_t)actions;
    row->next = table->first[slot];
    memcpy(row->bytes, name, n);
    table->first[slot] = (int16_t)table->n;
    return table->n++;
}

static size_t xs_utf8(uint32_t c, char *out)
{
    if (c < 0x80) { out[0] = (char)c; return 1; }
    if (c < 0x800) { out[0] = (char)(0xc0 | c >> 6); out[1] = (char)(0x80 | (c & 63)); return 2; }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12); out[1] = (char)(0x80 | (c >> 6 & 63)); out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18); out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63)); out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Decode the reference that begins at s[0] == '&' into out; the bytes taken, 0 when it is none.
 * What is written is never longer than what is taken: "&#9;" takes 4 bytes for one of at most 1, and a character of
 * n bytes of UTF-8 needs at least n digits and marks. */
static size_t xs_reference(const uint8_t *s, size_t n, char *out, size_t *written)
{
    static const struct { const char *name; uint8_t size; char value; } KNOWN[] = {
        { "&amp;", 5, '&' }, { "&lt;", 4, '<' }, { "&gt;", 4, '>' }, { "&quot;", 6, '"' }, { "&apos;", 6, '\'' },
    };
    if (n > 3 && s[1] == '#') {
        size_t at = 2;
        uint32_t value = 0;
        int hex = s[2] == 'x';
        at += (size_t)hex;
        size_t from = at;
        for (; at < n && at - from < 8; at++) {
            int c = s[at], digit;
            if (c >= '0' && c <= '9') digit = c - '0';
            else if (hex && (c | 32) >= 'a' && (c | 32) <= 'f') digit = (c | 32) - 'a' + 10;
            else break;
            value = value * (hex ? 16u : 10u) + (uint32_t)digit;
        }
        if (at == from || at >= n || s[at] != ';' || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
        *written = xs_utf8(value, out);
        return at + 1;
    }
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
        if (n >= KNOWN[i].size && memcmp(s, KNOWN[i].name, KNOWN[i].size) == 0) {
            out[0] = KNOWN[i].value;
            *written = 1;
            return KNOWN[i].size;
        }
    return 0;
}

/* Copy s with references decoded; the bytes written, at most n. */
static size_t xs_copy(const uint8_t *s, size_t n, char *out)
{
    size_t at = 0, done = 0;
    while (at < n) {
        const uint8_t *mark = (const uint8_t *)memchr(s + at, '&', n - at);
        size_t plain = (mark ? (size_t)(mark - s) : n) - at;
        memcpy(out + done, s + at, plain);
        done += plain;
        at += plain;
        if (!mark) break;
        size_t written = 0, taken = xs_reference(s + at, n - at, out + done, &written);
        if (!taken) { out[done] = '&'; written = taken = 1; }
        done += written;
        at += taken;
    }
    return done;
}

static inline void xs_content(xs_out *out, const uint8_t *s, size_t n, int text, int code, int raw)
{
    char *to = code ? out->code + out->n_code : out->text + out->n_text;
    size_t *count = code ? &out->n_code : &out->n_text;
    if (!n || !(text || code)) return;
    if (raw) memcpy(to, s, n);
    *count += raw ? n : xs_copy(s, n, to);
}

/* The end of a tag whose name ended at `at`: the place of its '>', or n. Quotes hide it. */
static size_t xs_tag_end(const uint8_t *s, size_t n, size_t at)
{
    while (at < n && s[at] != '>') {
        if (s[at] == '"' || s[at] == '\'') {
            const uint8_t *close = (const uint8_t *)memchr(s + at + 1, s[at], n - at - 1);
            if (!close) return n;
            at = (size_t)(close - s);
        }
        at++;
    }
    return at;
}

/* Behind a "<!..." or "<?..." that begins at `at`; CDATA is given to the channels. */
static size_t xs_special(const uint8_t *s, size_t n, size_t at, xs_out *out, int text, int code)
{
    static const struct { const char *open, *close; uint8_t n_open, n_close; } KINDS[] = {
        { "<!--", "-->", 4, 3 }, { "<![CDATA[", "]]>", 9, 3 }, { "<?", "?>", 2, 2 },
    };
    for (int i = 0; i < 3; i++) {
        if (n - at < KINDS[i].n_open || memcmp(s + at, KINDS[i].open, KINDS[i].n_open)) continue;
        size_t from = at + KINDS[i].n_open;
        const uint8_t *close = (const uint8_t *)memmem(s + from, n - from, KINDS[i].close, KINDS[i].n_close);
        size_t end = close ? (size_t)(close - s) : n;
        if (i == 1) xs_content(out, s + from, end - from, text, code, 1);
        return close ? end + KINDS[i].n_close : n;
    }
    out->declares = 1;  /* <!DOCTYPE, <!ENTITY and the like; the markup within is passed one by one */
    return at + 2;
}

static inline int xs_is_name(uint8_t c)
{
    return c > ' ' && c != '>' && c != '/' && c != '=' && c != '"' && c != '\'' && c != '<';
}

/* Whether the attributes of a cell say that its value is the number of a shared string: t="s" (ECMA-376, 18.18.11). */
static int xs_is_shared(const uint8_t *s, size_t n)
{
    for (size_t at = 0; at + 5 < n; at++)
        if (s[at] <= ' ' && s[at + 1] == 't' && s[at + 2] == '=' && s[at + 4] == 's' && s[at + 5] == s[at + 3])
            return 1;
    return 0;
}

/* Scan s. The buffers of `out` are sized by the caller as said there; each tag adds at most one byte to a channel and
 * takes at least three, text is never longer than its source, so both stay below n. */
static void xs_scan(const uint8_t *s, size_t n, const xs_table *table, xs_out *out)
{
    size_t at = 0;
    size_t text = 0, code = 0;  /* how deep within elements of that kind */
    int shared = 0;             /* in a cell whose value is no text */
    while (at < n) {
        const uint8_t *open = (const uint8_t *)memchr(s + at, '<', n - at);
        size_t tag = open ? (size_t)(open - s) : n;
        xs_content(out, s + at, tag - at, text != 0 && !shared, code != 0, 0);
        if (!open || n - tag < 2) return;
        if (s[tag + 1] == '!' || s[tag + 1] == '?') {
            at = xs_special(s, n, tag, out, text != 0, code != 0);
            continue;
        }
        int closes = s[tag + 1] == '/';
        size_t from = tag + 1 + (size_t)closes, local = from, behind = from;
        for (; behind < n && xs_is_name(s[behind]); behind++)
            if (s[behind] == ':') local = behind + 1;
        size_t end = xs_tag_end(s, n, behind);
        int name = xs_lookup(table, s + local, behind - local);
        at = end < n ? end + 1 : n;
        if (name < 0) continue;
        int actions = table->names[name].actions, empty = end > behind && s[end - 1] == '/';
        if (actions & XS_UNSHARED) shared = !closes && !empty && xs_is_shared(s + behind, end - behind);
        if (closes) {
            if ((actions & XS_TEXT) && text) text--;
            if ((actions & XS_CODE) && code) code--;
        } else {
            if ((actions & XS_TEXT) && !empty) text++;
            if ((actions & XS_CODE) && !empty) code++;
            if (actions & XS_TAG) {
                if (out->n_tags < out->max_tags) {
                    out->tags[out->n_tags].name = name;
                    out->tags[out->n_tags].start = behind;
                    out->tags[out->n_tags++].end = end;
                } else out->overflow = 1;
            }
        }
        if (closes || empty) {
            if (actions & XS_CODE_LINE) out->code[out->n_code++] = '\n';
            else if (actions & XS_LINE) out->text[out->n_text++] = '\n';
            else if (actions & XS_GAP) out->text[out->n_text++] = '\t';
        }
    }
}
#endif
