/* Elements of HTML as SpamAssassin counts and reads them: which are known, which style text, bring white space, link.
 *
 * Source: HTML 4.01 and XHTML 1.0 element names; behaviour of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_TAG_H
#define MXWARD_SA_TAG_H

#include "sa_style.h"

enum {
    ST_KNOWN = 1,    /* of HTML 4 or XHTML 1 */
    ST_RENDERED = 2, /* not known, but looked at */
    ST_STYLE = 4,    /* opens an entry of the stack of styles */
    ST_LINE = 8, ST_GAP = 16, ST_PARAGRAPH = 32,  /* brings "\n", " ", "\n\n" */
    ST_URI = 64
};
/* Numbers of elements that are asked for by name; their place in SA_NAMES. */
enum {
    T_A, T_BODY, T_TD, T_TR, T_TH, T_FONT, T_BASEFONT, T_BIG, T_SMALL, T_TABLE, T_SPAN, T_P, T_DIV, T_IMG, T_FORM,
    T_BASE, T_META, T_OBJECT, T_EMBED, T_TITLE, T_SCRIPT, T_STYLE, T_AREA, T_LINK, T_FRAME, T_IFRAME, T_BGSOUND
};
typedef struct { const char *name; int flags; } st_name;
static const st_name SA_NAMES[] = {
    { "a", 1 | 4 | 64 }, { "body", 1 | 4 | 64 }, { "td", 1 | 4 | 16 | 64 }, { "tr", 1 | 4 | 64 }, { "th", 1 | 4 | 16 },
    { "font", 1 | 4 }, { "basefont", 1 | 4 }, { "big", 1 | 4 }, { "small", 1 | 4 }, { "table", 1 | 4 | 64 },
    { "span", 1 | 4 }, { "p", 1 | 4 | 32 }, { "div", 1 | 4 | 8 }, { "img", 1 | 64 },
    { "form", 1 | 64 }, { "base", 1 | 64 }, { "meta", 1 | 64 }, { "object", 1 }, { "embed", 2 | 16 | 64 },
    { "title", 1 | 32 }, { "script", 1 | 64 }, { "style", 1 }, { "area", 1 | 64 }, { "link", 1 | 64 },
    { "frame", 1 | 64 }, { "iframe", 1 | 64 }, { "bgsound", 2 | 64 },
    { "li", 1 | 16 }, { "dt", 1 | 16 }, { "dd", 1 | 16 }, { "h1", 1 | 16 }, { "h2", 1 | 16 }, { "h3", 1 | 16 },
    { "h4", 1 | 16 }, { "h5", 1 | 16 }, { "h6", 1 | 16 }, { "br", 1 | 8 }, { "hr", 1 | 32 }, { "blockquote", 1 | 32 },
    { "pre", 1 | 32 }, { "listing", 2 | 32 }, { "plaintext", 2 | 32 }, { "xmp", 2 | 32 },
    { "abbr", 1 }, { "acronym", 1 }, { "address", 1 }, { "b", 1 }, { "bdo", 1 }, { "button", 1 }, { "caption", 1 },
    { "cite", 1 }, { "code", 1 }, { "col", 1 }, { "colgroup", 1 }, { "del", 1 }, { "dfn", 1 }, { "dl", 1 },
    { "em", 1 }, { "fieldset", 1 }, { "head", 1 }, { "html", 1 }, { "i", 1 }, { "input", 1 }, { "ins", 1 },
    { "kbd", 1 }, { "label", 1 }, { "legend", 1 }, { "map", 1 }, { "noscript", 1 }, { "ol", 1 }, { "optgroup", 1 },
    { "option", 1 }, { "param", 1 }, { "q", 1 }, { "samp", 1 }, { "select", 1 }, { "strong", 1 }, { "sub", 1 },
    { "sup", 1 }, { "tbody", 1 }, { "textarea", 1 }, { "tfoot", 1 }, { "thead", 1 }, { "tt", 1 }, { "ul", 1 },
    { "var", 1 }, { "applet", 1 }, { "center", 1 }, { "dir", 1 }, { "frameset", 1 }, { "isindex", 1 }, { "menu", 1 },
    { "noframes", 1 }, { "s", 1 }, { "strike", 1 }, { "u", 1 }, { "nobr", 1 }, { "x-sigsep", 1 }, { "x-tab", 1 }
};
#define SA_N_NAMES ((int)(sizeof(SA_NAMES) / sizeof(SA_NAMES[0])))
#define ST_LONGEST 10
static uint8_t st_table[512];  /* number + 1 by hash; filled by sa_init, never changed after */

static void sa_init(void)
{
    memset(st_table, 0, sizeof(st_table));
    for (int i = 0; i < SA_N_NAMES; i++) {
        uint32_t slot = sa_hash((const uint8_t *)SA_NAMES[i].name, strlen(SA_NAMES[i].name)) & 511;
        while (st_table[slot]) slot = (slot + 1) & 511;
        st_table[slot] = (uint8_t)(i + 1);
    }
}

/* Number of a known element, -1 for any other name. */
static int st_find(const uint8_t *name, size_t n)
{
    if (n > ST_LONGEST) return -1;
    for (uint32_t slot = sa_hash(name, n) & 511; st_table[slot]; slot = (slot + 1) & 511) {
        const char *known = SA_NAMES[st_table[slot] - 1].name;
        size_t i = 0;
        while (i < n && known[i] && sa_lower(name[i]) == (uint8_t)known[i]) i++;
        if (i == n && !known[i]) return st_table[slot] - 1;
    }
    return -1;
}

/* Attributes that are read; the first of a name counts. */
enum {
    A_HREF, A_SRC, A_BACKGROUND, A_ACTION, A_WIDTH, A_HEIGHT, A_EQUIV, A_CONTENT, A_FACE, A_COLOR, A_SIZE, A_TEXT,
    A_STYLE, A_REDIRECT, A_BGCOLOR, A_LINK, A_ALINK, A_VLINK, A_N
};
static const struct { size_t size; const char *name; } SA_ATTRIBUTES[] = {
    { 4, "href" }, { 3, "src" }, { 10, "background" }, { 6, "action" }, { 5, "width" }, { 6, "height" },
    { 10, "http-equiv" }, { 7, "content" }, { 4, "face" }, { 5, "color" }, { 4, "size" }, { 4, "text" }, { 5, "style" },
    { 20, "data-saferedirecturl" }, { 7, "bgcolor" }, { 4, "link" }, { 5, "alink" }, { 5, "vlink" }
};
typedef struct { sa_value value[A_N]; } sa_attributes;

/* Number of an attribute that is read, -1 for others. "x/href" stands for href in broken tags. */
static int st_attribute(const uint8_t *name, size_t n, int *is_broken)
{
    sa_value v = { name, n, 1 };
    *is_broken = 0;
    for (int i = 0; i < A_N; i++) if (n == SA_ATTRIBUTES[i].size && sa_is(v, SA_ATTRIBUTES[i].name)) return i;
    for (size_t i = 1; i + 3 < n; i++) {
        sa_value rest = { name + i, n - i, 1 };
        if (name[i] != '/' || !se_alnum(name[i - 1])) continue;
        *is_broken = 1;
        if (sa_begins(rest, "/href")) return A_HREF;
        if (sa_begins(rest, "/src")) return A_SRC;
    }
    *is_broken = 0;
    return -1;
}

/* A value with its references decoded, in the arena. */
static sa_value sa_decoded(sa_state *s, sa_value v)
{
    if (!v.size || !memchr(v.at, '&', v.size)) return v;
    uint8_t *at = s->arena + s->n_arena;  /* values do not overlap in the source: the arena is as large as that */
    v.size = se_decode(v.at, v.size, 0, at, &s->widest);
    v.at = at;
    s->n_arena += v.size;
    return v;
}

static void sa_item_value(sa_state *s, sa_item *item, sa_value v)
{
    if (!v.is_set || !v.size) return;  /* the item is zero */
    /* what is not in the arena stands in the source, whose places are counted behind the arena's */
    int in_arena = v.at >= s->arena && v.at < s->arena + s->size;
    item->at = (uint32_t)(in_arena ? (size_t)(v.at - s->arena) : s->size + (size_t)(v.at - s->data));
    item->size = (uint32_t)v.size;
}

static sa_item *sa_note(sa_state *s, int kind, int tag, sa_value v)
{
    sa_item *item = sa_add(s, kind);
    if (!item) return NULL;
    item->tag = (uint16_t)tag;
    sa_item_value(s, item, v);
    return item;
}

static double sa_number(sa_value v, size_t *used)
{
    double value = 0;
    size_t i = 0;
    while (i < v.size && i < 300 && v.at[i] >= '0' && v.at[i] <= '9') value = value * 10 + (v.at[i++] - '0');
    *used = i;
    return value;
}

/* A size, absolute or relative; `old` when it is none. */
static double sa_font_size(const sa_state *s, sa_value v, double old)
{
    size_t used;
    while (v.size && sa_space(v.at[0])) { v.at++; v.size--; }
    if (v.size && (v.at[0] == '+' || v.at[0] == '-')) {
        sa_value digits = { v.at + 1, v.size - 1, 1 };
        double by = sa_number(digits, &used);
        return used ? s->basefont + (v.at[0] == '-' ? -by : by) : old;
    }
    double value = sa_number(v, &used);
    return used ? value : old;
}

static void sa_extremes(sa_state *s, double size)
{
    if (size > s->max_size) s->max_size = size;
    else if (size < s->min_size) s->min_size = size;
}

/* A table cell or row ends the one before it. */
static void sa_close_cells(sa_state *s, int tag)
{
    if (s->n_open[tag] == 0) return;
    while (s->n_styles > 1) {
        int top = s->styles[s->n_styles - 1].tag;
        if (top != T_FONT && top != T_TD && !(tag == T_TR && top == T_TR)) break;
        sa_pop(s);
    }
}

static void sa_open_style(sa_state *s, int tag, sa_attributes *attributes)
{
    sa_value *value = attributes->value;
    size_t used;
    if (tag == T_TH) tag = T_TD;
    if (value[A_SIZE].is_set && (tag == T_BASEFONT || tag == T_FONT)) value[A_SIZE] = sa_decoded(s, value[A_SIZE]);
    if (tag == T_BASEFONT && value[A_SIZE].is_set) {
        sa_value v = value[A_SIZE];
        while (v.size && sa_space(v.at[0])) { v.at++; v.size--; }
        double size = sa_number(v, &used);
        if (used) { s->basefont = size; return; }
    }
    if (tag == T_TD || tag == T_TR) sa_close_cells(s, tag);
    sa_style style = s->styles[s->n_styles - 1];
    int32_t outer_bg = style.bg;
    style.tag = (uint8_t)tag;
    int has_any = 0;
    if (tag == T_BIG) style.size++;
    else if (tag == T_SMALL) style.size--;
    else if (tag == T_FONT || tag == T_BASEFONT) {
        if (value[A_COLOR].is_set) style.fg = sa_colour(sa_decoded(s, value[A_COLOR]));
        if (value[A_SIZE].is_set) style.size = sa_font_size(s, value[A_SIZE], style.size);
        has_any = value[A_COLOR].is_set || value[A_SIZE].is_set || value[A_FACE].is_set;
    } else if (tag == T_BODY) {
        if (value[A_TEXT].is_set) style.fg = sa_colour(sa_decoded(s, value[A_TEXT]));
        has_any = value[A_TEXT].is_set || value[A_BACKGROUND].is_set || value[A_BGCOLOR].is_set || value[A_LINK].is_set
            || value[A_ALINK].is_set || value[A_VLINK].is_set;
    } else {
        if (value[A_STYLE].is_set) sa_restyle(sa_decoded(s, value[A_STYLE]), &style, outer_bg);
        /* a colour of the background is not heeded, yet makes the size count */
        has_any = value[A_STYLE].is_set
            || (value[A_BGCOLOR].is_set && (tag == T_TABLE || tag == T_TD || tag == T_TR));
    }
    if (has_any) sa_extremes(s, style.size);
    sa_push(s, &style);
}

static double sa_side(sa_value v, double percent)
{
    size_t used;
    double value = sa_number(v, &used);
    if (used && used == v.size - 1 && v.at[used] == '%') value *= percent;
    else if (used != v.size) value = 0;
    return value > 0 ? value : 200;
}

static void sa_link(sa_state *s, int tag, sa_attributes *attributes)
{
    sa_value *value = attributes->value;
    int named = -1;
    if (tag == T_BODY || tag == T_TABLE || tag == T_TR || tag == T_TD) named = A_BACKGROUND;
    else if (tag == T_A || tag == T_AREA || tag == T_LINK || tag == T_BASE) named = A_HREF;
    else if (tag == T_FORM) named = A_ACTION;
    else if (tag != T_META) named = A_SRC;
    if (named >= 0 && value[named].is_set) {
        value[named] = sa_decoded(s, value[named]);
        sa_note(s, tag == T_BASE ? SA_BASE : SA_URI, tag, value[named]);
    }
    if ((tag == T_A || tag == T_AREA || tag == T_LINK) && value[A_REDIRECT].is_set)
        sa_note(s, SA_URI, tag, sa_decoded(s, value[A_REDIRECT]));
}

static void sa_look(sa_state *s, int tag, sa_attributes *attributes)
{
    sa_value *value = attributes->value;
    if (tag == T_FONT && value[A_FACE].is_set) {
        sa_value face = sa_decoded(s, value[A_FACE]);
        const sa_value *last = &s->last_face;
        if (last->is_set && last->size == face.size && memcmp(last->at, face.at, face.size) == 0) return;
        if (sa_note(s, SA_FACE, tag, face)) s->last_face = face;
    } else if (tag == T_IMG) {
        if (s->seen[T_A] && s->inside[T_A] > 0 && s->n_anchors) {
            memcpy(s->words + s->n_words, "<img>\n", 6);  /* room: 2 bytes a byte of source, "<img>" has 5 */
            s->n_words += 6;
        }
        if (value[A_WIDTH].is_set && value[A_HEIGHT].is_set)
            s->image_area += sa_side(sa_decoded(s, value[A_WIDTH]), 8) * sa_side(sa_decoded(s, value[A_HEIGHT]), 6);
    } else if (tag == T_FORM && value[A_ACTION].is_set) {
        sa_note(s, SA_ACTION, tag, value[A_ACTION]);
    } else if (tag == T_OBJECT || tag == T_EMBED) {
        s->embeds = 1;
    } else if (tag == T_A) {
        sa_item *item = sa_add(s, SA_ANCHOR);
        if (!item) return;
        sa_item_value(s, item, value[A_HREF]);
        item->words = (uint32_t)s->n_words;
        s->n_anchors++;
    } else if (tag == T_TITLE) {
        sa_item *item = sa_add(s, SA_TITLE);
        if (!item) return;
        item->at = (uint32_t)s->n_titles;
        s->n_titles_begun++;
    } else if (tag == T_META && value[A_EQUIV].is_set && value[A_CONTENT].is_set) {
        sa_note(s, SA_META, tag, sa_decoded(s, value[A_EQUIV]));
        sa_note(s, SA_CONTENT, tag, sa_decoded(s, value[A_CONTENT]));
    }
}

/* Names of the kind "o:p" and "st1:city" that Office writes. */
static int sa_is_namespace(const uint8_t *name, size_t n)
{
    size_t p = 0;
    if (n && sa_lower(name[0]) == 'o') p = 1;
    else if (n > 2 && sa_lower(name[0]) == 's' && sa_lower(name[1]) == 't' && name[2] >= '0' && name[2] <= '9') p = 3;
    if (p == 0 || p + 1 >= n || name[p] != ':') return 0;
    size_t from = ++p;
    while (p < n && (se_alnum(name[p]) || name[p] == '-')) p++;
    return p > from && (p == n || (p + 1 == n && name[p] == '/'));
}

/* The count of open elements of a name that is not known; NULL beyond SA_MAX_STRANGE names. */
static int32_t *sa_strange(sa_state *s, const uint8_t *name, size_t n, int *is_new)
{
    uint32_t slot = sa_hash(name, n) & (SA_STRANGE - 1);
    *is_new = 0;
    if (n > 65535) n = 65535;
    for (; s->strange[slot].size; slot = (slot + 1) & (SA_STRANGE - 1)) {
        const uint8_t *known = s->data + s->strange[slot].at;
        size_t i = 0;
        if (s->strange[slot].size != n) continue;
        while (i < n && sa_lower(known[i]) == sa_lower(name[i])) i++;
        if (i == n) return &s->strange[slot].count;
    }
    *is_new = 1;
    if (s->n_strange >= SA_MAX_STRANGE || n == 0) return NULL;
    s->n_strange++;
    s->strange[slot].at = (uint32_t)(name - s->data);
    s->strange[slot].size = (uint16_t)n;
    return &s->strange[slot].count;
}

/* Counts an element; returns its number, or -1 when it is not looked at any further. */
static int sa_count(sa_state *s, const uint8_t *name, size_t n, int by)
{
    int tag = st_find(name, n), is_new;
    int is_known = tag >= 0 ? SA_NAMES[tag].flags & ST_KNOWN : sa_is_namespace(name, n);
    if (tag >= 0) {
        is_new = !s->seen[tag];
        s->seen[tag] = 1;
        if ((s->inside[tag] += by) < 0) { s->inside[tag] = 0; s->closed_extra++; }
    } else {
        int32_t *count = sa_strange(s, name, n, &is_new);
        if (count ? (*count += by) < 0 : by < 0) {
            if (count) *count = 0;
            s->closed_extra++;
        }
    }
    s->tags++;
    s->tags_seen += (uint32_t)is_new;
    if (is_known) { s->elements++; s->elements_seen += (uint32_t)is_new; }
    return tag >= 0 && (SA_NAMES[tag].flags & (ST_KNOWN | ST_RENDERED)) ? tag : -1;
}

static void sa_bring_space(sa_state *s, int flags)
{
    if (flags & ST_LINE) sa_show_space(s, "\n");
    else if (flags & ST_GAP) sa_show_space(s, " ");
    else if (flags & ST_PARAGRAPH) sa_show_space(s, "\n\n");
}

static void sa_start_tag(sa_state *s, const uint8_t *name, size_t n, sa_attributes *attributes)
{
    int tag = sa_count(s, name, n, 1);
    if (tag < 0) return;
    int flags = SA_NAMES[tag].flags;
    if (flags & ST_STYLE) sa_open_style(s, tag, attributes);
    sa_bring_space(s, flags);
    if (flags & ST_URI) sa_link(s, tag, attributes);
    sa_look(s, tag, attributes);
}

static void sa_end_tag(sa_state *s, const uint8_t *name, size_t n)
{
    int tag = sa_count(s, name, n, -1);
    if (tag < 0) return;
    int flags = SA_NAMES[tag].flags;
    if ((flags & ST_STYLE) && tag != T_BODY) sa_close(s, tag == T_TH ? T_TD : tag);
    sa_bring_space(s, flags);
}

/* A piece of text between tags. `is_cdata`: references stand for themselves. */
static void sa_text(sa_state *s, const uint8_t *text, size_t n, int is_cdata)
{
    if (s->seen[T_SCRIPT] && s->inside[T_SCRIPT] > 0) {
        sa_item *item = sa_add(s, SA_SCRIPT);
        if (item) { item->at = (uint32_t)(text - s->data); item->size = (uint32_t)n; }
        return;
    }
    if (s->seen[T_STYLE] && s->inside[T_STYLE] > 0) return;
    if (!is_cdata && memchr(text, '&', n)) {
        n = se_decode(text, n, 1, s->scratch, &s->widest);
        text = s->scratch;
    }
    if (s->seen[T_A] && s->inside[T_A] > 0 && s->n_anchors) {
        memcpy(s->words + s->n_words, text, n);
        s->n_words += n;
    }
    if (s->seen[T_TITLE] && s->inside[T_TITLE] > 0 && s->n_titles_begun) {
        memcpy(s->titles + s->n_titles, text, n);
        s->n_titles += n;
    }
    size_t p = 0;
    while (p < n && (sa_space(text[p]) || (n - p >= 4 && memcmp(text + p, "\303\202\302\240", 4) == 0)))
        p += sa_space(text[p]) ? 1 : 4;
    int is_invisible = p < n ? sa_is_invisible(s) : 0;
    if (s->has_last) sa_broken(s, text, n);
    sa_show(s, text, n, is_invisible);
}

#endif
