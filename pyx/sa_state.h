/* State of one HTML part's analysis, its buffers, and the text as SpamAssassin puts it together.
 *
 * Text comes in pieces between tags; each is shown or invisible, and white space is squeezed across pieces. Not here:
 * tags (sa_tag.h), the tokenizer (sa_html.h). Source: behaviour of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_STATE_H
#define MXWARD_SA_STATE_H

#include <Python.h>
#include <stdlib.h>

#include "sa_entity.h"

enum sa_kind {
    SA_URI,      /* an address in an element: tag, value */
    SA_BASE,     /* href of <base> */
    SA_ANCHOR,   /* <a>: value is its href, words its text up to the next one */
    SA_FACE,     /* face of <font>, when it differs from the one before */
    SA_ACTION,   /* action of <form> */
    SA_META,     /* http-equiv of <meta>; the next item is its content */
    SA_CONTENT,
    SA_COMMENT,  /* a span of the source */
    SA_SCRIPT,   /* a span of the source */
    SA_TITLE     /* words: a span of the titles */
};

typedef struct {
    uint32_t at, size;        /* of the arena; SA_COMMENT and SA_SCRIPT: of the source; SA_TITLE: at of the titles */
    uint32_t words;           /* SA_ANCHOR: where its words begin */
    uint16_t tag;
    uint8_t kind;
} sa_item;

typedef struct {
    double size;
    int32_t fg, bg;           /* 0xRRGGBB, or SA_INVALID, SA_EMPTY */
    uint8_t tag, is_none, is_hidden;
} sa_style;

typedef struct { const uint8_t *at; size_t size; int is_set; } sa_value;  /* bytes of the source or the arena */

enum { SA_INVALID = -1, SA_EMPTY = -2 };
#define SA_TAGS 128           /* numbers of known elements are below */
#define SA_STRANGE 4096       /* other names kept; a power of 2 */
#define SA_MAX_STRANGE 2000
#define SA_MAX_ITEMS 40000
#define SA_MAX_STYLES 100000  /* open styled elements; more take the style of the last */

typedef struct {
    const uint8_t *data; size_t size;   /* the source, prepared, below 4 GiB */
    int is_wide;                        /* characters: white space and letters beyond ASCII count */
    uint8_t *out; size_t n;             /* the text; room for size + SA_SLACK */
    uint8_t *arena; size_t n_arena;     /* values of attributes; room for size */
    uint8_t *words; size_t n_words;     /* words of links; room for 2 * size */
    uint8_t *titles; size_t n_titles;   /* room for size */
    uint8_t *scratch;                   /* one piece of text decoded; room for size */
    sa_item *items; size_t n_items, max_items;
    sa_style *styles; size_t n_styles, max_styles;
    uint32_t n_open[SA_TAGS];           /* open styled elements by tag */
    int64_t inside[SA_TAGS];            /* open elements; valid when `seen` */
    uint8_t seen[SA_TAGS];
    struct { uint32_t at; uint16_t size; int32_t count; } strange[SA_STRANGE];  /* names in the source; size 0: free */
    size_t n_strange;
    int n_anchors, n_titles_begun;
    sa_value last_face;
    /* the last piece of text */
    size_t last; int has_last, last_is_space, last_is_invisible;
    double basefont, image_area, min_size, max_size;
    uint32_t tags, elements, tags_seen, elements_seen, closed_extra, obfuscation;
    uint64_t backhair;                  /* bit 7 * (a - 1) + b - 1: a word broken after a and before b letters */
    uint8_t low_contrast, invalid_colour, embeds, truncated, failed;
    uint32_t widest;
} sa_state;
#define SA_SLACK 64

static inline int sa_space(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }
static inline uint8_t sa_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 32 : c; }

/* Of a name, upper and lower case alike. */
static inline uint32_t sa_hash(const uint8_t *name, size_t n)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < n; i++) hash = (hash ^ sa_lower(name[i])) * 16777619u;
    return hash ^ hash >> 15;
}

static sa_item *sa_add(sa_state *s, int kind)
{
    if (s->n_items == s->max_items) {
        size_t wanted = s->max_items ? s->max_items * 2 : 64;
        sa_item *more = wanted > 2 * SA_MAX_ITEMS ? NULL : realloc(s->items, wanted * sizeof(sa_item));
        if (!more) { s->failed |= wanted <= 2 * SA_MAX_ITEMS; s->truncated = 1; return NULL; }
        s->items = more;
        s->max_items = wanted;
    }
    sa_item *item = &s->items[s->n_items++];
    memset(item, 0, sizeof(*item));
    item->kind = (uint8_t)kind;
    return item;
}

/* The character at p < n of valid or invalid UTF-8, and its size. */
static uint32_t sa_char(const uint8_t *s, size_t n, size_t p, size_t *size)
{
    uint8_t c = s[p];
    size_t more = c < 0xC0 ? 0 : c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    uint32_t code = more == 0 ? c : c & (0x3F >> more);
    *size = 1;
    if (more == 0 || p + more >= n) return more ? 0xFFFD : code;
    for (size_t i = 1; i <= more; i++) code = code << 6 | (s[p + i] & 0x3F);
    *size = more + 1;
    return code;
}

static int sa_wide_space(uint32_t c)
{
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029
        || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* A letter, digit or sign outside ASCII punctuation: what makes up words here. */
static inline int sa_wordish(const sa_state *s, uint32_t c)
{
    if (c < 0x80)
        return !(c == ' ' || (c >= 9 && c <= 13) || (c >= 0x21 && c <= 0x2f) || (c >= 0x3a && c <= 0x40)
                 || (c >= 0x5b && c <= 0x60) || (c >= 0x7b && c <= 0x7e));
    return !(s->is_wide && sa_wide_space(c));
}

/* \w */
static inline int sa_letter(const sa_state *s, uint32_t c)
{
    if (c < 0x80) return se_alnum((uint8_t)c);
    return s->is_wide && Py_UNICODE_ISALNUM(c);
}

#define SA_BROKEN 7  /* letters of a word before and after a break that are looked at */

/* Last characters of the last piece, at most SA_BROKEN + 1, last first; returns how many. */
static int sa_tail(const sa_state *s, uint32_t *tail)
{
    size_t p = s->n, size;
    int n = 0;
    while (p > s->last && n <= SA_BROKEN) {
        p--;
        while (p > s->last && (s->out[p] & 0xC0) == 0x80) p--;
        tail[n++] = sa_char(s->out, s->n, p, &size);
    }
    return n;
}

/* Words that a tag breaks in two, by the text before and after it. */
static void sa_broken(sa_state *s, const uint8_t *text, size_t n)
{
    uint32_t tail[SA_BROKEN + 1], head[SA_BROKEN + 1];
    size_t p = 0, size;
    int n_tail = sa_tail(s, tail), n_head = 0, before = 0, after = 0, run = 0;
    while (p < n && n_head <= SA_BROKEN) { head[n_head++] = sa_char(text, n, p, &size); p += size; }
    if (n_tail == 0) return;
    if (n_head && sa_wordish(s, head[0]) && sa_wordish(s, tail[0])) s->obfuscation++;
    while (run < n_tail && run < SA_BROKEN && sa_wordish(s, tail[run])) run++;
    for (int i = run; i > 0 && !before; i--) {  /* the longest end of the run that begins at a border of a word */
        int left = i < n_tail && sa_letter(s, tail[i]);
        if (left != sa_letter(s, tail[i - 1])) before = i;
    }
    for (run = 0; run < n_head && run < SA_BROKEN && sa_wordish(s, head[run]); run++) { }
    for (int i = run; i > 0 && !after; i--) {
        int right = i < n_head && sa_letter(s, head[i]);
        if (right != sa_letter(s, head[i - 1])) after = i;
    }
    if (before && after) s->backhair |= 1ull << (SA_BROKEN * (before - 1) + after - 1);
}

/* White space that an element brings, at most two bytes. */
static void sa_show_space(sa_state *s, const char *space)
{
    if (s->has_last && !s->last_is_space && !s->last_is_invisible && s->n > s->last && s->out[s->n - 1] == ' ') s->n--;
    s->last = s->n;
    while (*space) s->out[s->n++] = (uint8_t)*space++;
    s->has_last = s->last_is_space = 1;
    s->last_is_invisible = 0;
}

/* A piece of text, white space squeezed. Room: a piece gives at most as many bytes as it has in the source. */
static void sa_show(sa_state *s, const uint8_t *text, size_t n, int is_invisible)
{
    size_t p = 0, q = s->n;
    int trim = s->has_last && s->last_is_space && !is_invisible;
    s->last = q;
    while (p < n) {
        uint8_t c = text[p];
        if (sa_space(c)) {
            do p++; while (p < n && sa_space(text[p]));
        } else if (c == 0xC3 && n - p >= 4 && memcmp(text + p, "\303\202\302\240", 4) == 0) {
            p += 4;  /* bytes of a no-break space taken for characters */
        } else {
            s->out[q++] = c;
            p++;
            continue;
        }
        if (!(trim && q == s->last)) s->out[q++] = ' ';
        trim = 0;
    }
    s->n = q;
    s->has_last = 1;
    s->last_is_space = 0;
    s->last_is_invisible = is_invisible;
}

#endif
