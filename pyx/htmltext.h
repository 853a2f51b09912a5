/* HTML to readable text, what of it is shown, and links: one tolerant forward pass over UTF-8.
 *
 * What a reader sees as words comes out in order; block elements give a line end; script, style and comments give
 * nothing. Stretches of the text that a browser would not show are noted with the reasons; conditional comments, which
 * Outlook reads, are such stretches. Links are noted as spans: the address in an arena as a browser takes it, the words
 * in the output. Rules followed are those of the WHATWG tokenizer that matter here: a tag begins at '<' + letter, '/'
 * or '!', attribute values may be quoted or not, raw-text elements end only at their own end tag.
 * Not here: open elements (html_tree.h), style (html_style.h, html_rules.h). */
#ifndef MXWARD_HTMLTEXT_H
#define MXWARD_HTMLTEXT_H

#include <stdlib.h>

#include "html_entity.h"
#include "html_rules.h"
#include "html_tree.h"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum ht_kind { HT_LINK_A = 0, HT_LINK_IMG, HT_LINK_FORM, HT_LINK_FRAME, HT_LINK_SCRIPT, HT_LINK_OTHER };
#define HT_MAX_URL 4096

typedef struct {
    size_t url_at, url_size;    /* in the arena of addresses */
    size_t text_at, text_size;  /* in the output: the words between <a> and </a>; empty for other elements */
    size_t shown;               /* runs of shown words before it; after it is closed: 1 when it has some itself */
    int kind;                   /* ht_kind */
} ht_link;

typedef struct { uint32_t start, end; } ht_span;
typedef struct { size_t at, size; } ht_piece;  /* of the source */

typedef struct {
    const uint8_t *data; size_t size;            /* source, below 4 GiB */
    uint8_t *out; size_t n;                      /* output; never longer than the source */
    uint8_t *urls; size_t n_urls;                /* arena of addresses; never longer than the source */
    ht_link *links; size_t n_links, max_links;
    ht_span *spans; size_t n_spans, max_spans;   /* hidden stretches of the output, in order; grows by doubling */
    int64_t open_link;                           /* index of the <a> whose words are being read, or -1 */
    uint32_t n_forms, n_passwords, n_scripts;
    uint32_t hide;                               /* HS_* in force */
    uint32_t reasons[HS_REASONS];                /* bytes of words hidden, by bit of HS_* */
    int in_span, failed;                         /* failed: no memory */
    size_t shown;                                /* runs of shown words */
    size_t condition_end;                        /* where an open conditional comment ends, or 0 */
    int condition_depth;
    int late_rules, is_second;                   /* rules came behind words; this is the pass that knows them */
    hr_table *rules;
    ht_tree tree;
} ht_state;

/* Attributes of a start tag that style it. */
typedef struct {
    ht_piece style, classes, id;
    hs_style hints;        /* presentational attributes, the weakest */
    int is_link, is_other_media;
} ht_looks;

static inline int ht_letter(uint8_t c) { c = hs_lower(c); return c >= 'a' && c <= 'z'; }

/* Next '<' or '&' at or after `at`. */
static size_t ht_next(const uint8_t *data, size_t size, size_t at)
{
#if defined(__SSE2__)
    const __m128i lt = _mm_set1_epi8('<'), amp = _mm_set1_epi8('&');
    for (; at + 16 <= size; at += 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(data + at));  /* at + 16 <= size */
        int mask = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, lt), _mm_cmpeq_epi8(block, amp)));
        if (mask) return at + (size_t)__builtin_ctz((unsigned)mask);
    }
#endif
    while (at < size && data[at] != '<' && data[at] != '&') at++;
    return at;
}

static void ht_begin_span(ht_state *s)
{
    if (s->n_spans == s->max_spans) {
        size_t wanted = s->max_spans ? s->max_spans * 2 : 16;
        ht_span *more = realloc(s->spans, wanted * sizeof(ht_span));
        if (more == NULL) { s->failed = 1; return; }
        s->spans = more;
        s->max_spans = wanted;
    }
    s->spans[s->n_spans++] = (ht_span){ (uint32_t)s->n, (uint32_t)s->n };
    s->in_span = 1;
}

static void ht_end_span(ht_state *s)
{
    s->spans[s->n_spans - 1].end = (uint32_t)s->n;
    s->in_span = 0;
}

/* Before anything is written: hidden stretches begin and end where the reason does. */
static inline void ht_mark(ht_state *s)
{
    if (s->hide && !s->in_span) ht_begin_span(s);
    else if (!s->hide && s->in_span) ht_end_span(s);
}

static void ht_line_end(ht_state *s)
{
    if (s->n == 0 || s->out[s->n - 1] == '\n') return;
    ht_mark(s);
    s->out[s->n++] = '\n';
}

static inline void ht_refresh(ht_state *s) { s->hide = hs_hidden(ht_top(&s->tree)); }

/* Words [from, s->n) of the output were just written: count them as shown or hidden. */
static void ht_count(ht_state *s, size_t from)
{
    if (!s->hide) {
        while (from < s->n && s->out[from] <= ' ') from++;
        s->shown += from < s->n;
        return;
    }
    uint32_t n = 0;
    for (; from < s->n; from++) n += s->out[from] > ' ';
    for (uint32_t left = s->hide; left; left &= left - 1) s->reasons[__builtin_ctz(left)] += n;
}

/* Past a comment whose "<!--" ends at `at`: it ends at "-->" or "--!>", or at once ("<!-->", "<!--->"). */
static size_t ht_comment_end(const uint8_t *data, size_t size, size_t at)
{
    if (at < size && data[at] == '>') return at + 1;
    if (size - at >= 2 && data[at] == '-' && data[at + 1] == '>') return at + 2;
    while (at < size) {
        const uint8_t *dash = memmem(data + at, size - at, "--", 2);
        if (dash == NULL) return size;
        at = (size_t)(dash - data) + 2;
        if (at < size && data[at] == '>') return at + 1;
        if (size - at >= 2 && data[at] == '!' && data[at + 1] == '>') return at + 2;
        at--;  /* of three dashes the last two may begin the end */
    }
    return size;
}

/* Past a comment, a declaration or a processing instruction that begins at `at`. */
static size_t ht_skip_markup(const uint8_t *data, size_t size, size_t at)
{
    if (size - at >= 4 && memcmp(data + at, "<!--", 4) == 0) return ht_comment_end(data, size, at + 4);
    const uint8_t *end = memchr(data + at, '>', size - at);
    return end ? (size_t)(end - data) + 1 : size;
}

/* Where the end tag of a raw-text element (script, style) begins; `size` when it never ends. */
static size_t ht_raw_end(const uint8_t *data, size_t size, size_t at, const char *name)
{
    size_t n = strlen(name);
    while (at < size) {
        const uint8_t *lt = memchr(data + at, '<', size - at);
        if (lt == NULL) return size;
        at = (size_t)(lt - data);
        if (size - at > n + 2 && data[at + 1] == '/' && hs_is(data + at + 2, n, name)) return at;
        at++;
    }
    return size;
}

/* An address as a browser takes it: outer blanks, tabs and line ends dropped, references resolved. */
static size_t ht_address(ht_state *s, size_t at, size_t size)
{
    const uint8_t *from = s->data + at;
    uint8_t *out = s->urls + s->n_urls;
    size_t i = 0, n = 0;
    while (size && from[size - 1] <= ' ') size--;
    while (i < size && from[i] <= ' ') i++;
    if (size - i > HT_MAX_URL) size = i + HT_MAX_URL;
    while (i < size) {
        uint8_t c = from[i];
        if (c == '&' && size - i >= 3) {
            size_t used = from[i + 1] == '#' ? he_numeric(from + i, size - i, out, &n) : he_named(from + i, size - i, out, &n, 1);
            if (used) { i += used; continue; }
        }
        if (c != '\t' && c != '\r' && c != '\n') out[n++] = c;
        i++;
    }
    while (n && out[n - 1] <= ' ') n--;
    s->n_urls += n;
    return n;
}

static void ht_close_link(ht_state *s)
{
    if (s->open_link < 0) return;
    ht_link *link = &s->links[s->open_link];
    link->text_size = s->n - link->text_at;
    link->shown = s->shown > link->shown;
    s->open_link = -1;
}

static void ht_note(ht_state *s, const ht_info *info, size_t url_at, size_t url_size)
{
    if (s->n_links >= s->max_links) return;
    int kind = HT_LINK_OTHER;
    switch (info->id) {
    case HT_A: case HT_AREA: kind = HT_LINK_A; ht_close_link(s); break;
    case HT_IMG: kind = HT_LINK_IMG; s->shown += !s->hide; break;
    case HT_FORM: case HT_BUTTON: case HT_INPUT: kind = HT_LINK_FORM; break;
    case HT_IFRAME: case HT_FRAME: case HT_EMBED: kind = HT_LINK_FRAME; break;
    case HT_SCRIPT: kind = HT_LINK_SCRIPT; break;
    default: break;
    }
    size_t place = s->n_urls, used = ht_address(s, url_at, url_size);
    s->links[s->n_links] = (ht_link){ place, used, s->n, 0, kind == HT_LINK_A ? s->shown : !s->hide, kind };
    if (kind == HT_LINK_A) s->open_link = (int64_t)s->n_links;
    s->n_links++;
}

static void ht_attribute(ht_state *s, const ht_info *tag, ht_looks *looks, const uint8_t *name, size_t n_name, ht_piece v)
{
    const uint8_t *value = s->data + v.at;
    uint32_t colour;
    switch (ht_find(&HT_ATTRIBUTE_NAMES, ht_key(name, n_name))->id) {
    case HA_BACKGROUND:
        
        looks->hints.set |= 1u << HP_BACKGROUND;
        looks->hints.background = HC_UNKNOWN;
        ht_note(s, tag, v.at, v.size);
        break;
    case HA_DATA: if (tag->id == HT_OBJECT) ht_note(s, tag, v.at, v.size); break;
    case HA_HREF: looks->is_link = 1; /* fall through */
    case HA_SRC: case HA_ACTION: ht_note(s, tag, v.at, v.size); break;
    case HA_TYPE: s->n_passwords += tag->id == HT_INPUT && hs_is(value, v.size, "password"); break;
    case HA_CONTENT:
        for (size_t i = 0; tag->id == HT_META && i + 4 <= v.size && i < 64; i++)  /* refresh: "0; url=..." */
            if (hs_is(value + i, 4, "url=")) { ht_note(s, tag, v.at + i + 4, v.size - i - 4); break; }
        break;
    case HA_STYLE: looks->style = v; break;
    case HA_CLASS: looks->classes = v; break;
    case HA_ID: looks->id = v; break;
    case HA_BGCOLOR:
        colour = hc_legacy(value, v.size);
        if (colour == HC_NONE) break;
        
        looks->hints.set |= 1u << HP_BACKGROUND;
        looks->hints.background = colour;
        break;
    case HA_TEXT: case HA_COLOR:
        colour = hc_legacy(value, v.size);
        if (colour == HC_NONE || (tag->id != HT_FONT && tag->id != HT_BODY)) break;
        
        looks->hints.set |= 1u << HP_COLOUR;
        looks->hints.colour = colour;
        break;
    case HA_HIDDEN: hs_put(&looks->hints, HP_DISPLAY, HD_NONE, 0); break;
    case HA_MEDIA: looks->is_other_media = !(hs_is(value, v.size, "all") || hs_is(value, v.size, "screen") || v.size == 0); break;
    default: break;
    }
}

/* Attributes from `at` to the '>' of the tag; returns the offset past it. */
static size_t ht_attributes(ht_state *s, const ht_info *tag, ht_looks *looks, size_t at)
{
    const uint8_t *data = s->data;
    size_t size = s->size;
    while (at < size && data[at] != '>') {
        if (hs_space(data[at]) || data[at] == '/') { at++; continue; }
        size_t name = at, value, end;
        while (at < size && !hs_space(data[at]) && data[at] != '=' && data[at] != '>' && (data[at] != '/' || at == name)) at++;
        size_t n_name = at - name;
        while (at < size && hs_space(data[at])) at++;
        if (at >= size || data[at] != '=') {
            if (n_name == 0) at++;
            else if (n_name == 6) ht_attribute(s, tag, looks, data + name, n_name, (ht_piece){ at, 0 });  /* hidden */
            continue;
        }
        at++;
        while (at < size && hs_space(data[at])) at++;
        if (at < size && (data[at] == '"' || data[at] == '\'')) {
            const uint8_t *quote = memchr(data + at + 1, data[at], size - at - 1);
            value = at + 1;
            end = quote ? (size_t)(quote - data) : size;
            at = quote ? end + 1 : size;
        } else {
            value = at;
            while (at < size && !hs_space(data[at]) && data[at] != '>') at++;
            end = at;
        }
        ht_attribute(s, tag, looks, data + name, n_name, (ht_piece){ value, end - value });
    }
    return at < size ? at + 1 : size;
}
#endif
