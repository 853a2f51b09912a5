/* CSS as far as it decides whether words are seen: declarations, colours, lengths, computed visibility.
 *
 * Not here: selectors and <style> elements (html_rules.h), the document (htmltext.h). Values that are not understood
 * leave a property as it was, as browsers do. Source: CSS 2.1, CSS Color 4, WHATWG HTML "rules for parsing a legacy
 * colour value". */
#ifndef MXWARD_HTML_STYLE_H
#define MXWARD_HTML_STYLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "html_colour.h"

/* Why words are not shown. HS_MSO: not by Outlook; HS_ASIDE: titles and conditional comments, which every newsletter
 * has and nobody is deceived by. */
enum {
    HS_NONE = 1, HS_VISIBILITY = 2, HS_OPACITY = 4, HS_TINY = 8, HS_CLIPPED = 16, HS_OFFSCREEN = 32, HS_COLOUR = 64,
    HS_MSO = 128, HS_ASIDE = 256,
};
#define HS_REASONS 9
/* Flags that no child takes back. */
#define HS_FINAL (HS_NONE | HS_OPACITY | HS_CLIPPED | HS_OFFSCREEN | HS_MSO | HS_ASIDE)

enum hs_property {
    HP_DISPLAY, HP_VISIBILITY, HP_OPACITY, HP_FONT, HP_COLOUR, HP_BACKGROUND, HP_IMAGE, HP_OVERFLOW, HP_POSITION,
    HP_LEFT, HP_TOP, HP_INDENT, HP_WIDTH, HP_HEIGHT, HP_MAX_WIDTH, HP_MAX_HEIGHT, HP_MARGIN, HP_MSO, HP_N,
};
enum hs_display { HD_NONE = 1, HD_INLINE, HD_BLOCK, HD_CELL };

#define HS_FAR (-400.0f)   /* pixels to the left or above that nobody scrolls to */
#define HS_SMALL 2.0f      /* pixels of type that nobody reads */

typedef struct {
    uint32_t set, important;  /* bits by hs_property */
    uint32_t colour, background;
    float value[HP_N];        /* pixels; HP_FONT: pixels, or -(factor of the parent's); others: small integers */
} hs_style;

typedef struct {
    uint32_t flags;     /* HS_* in force, HS_COLOUR and HS_TINY left out */
    uint32_t colour, background;
    float font;         /* pixels */
    uint32_t is_indented;
} hs_computed;

static inline uint8_t hs_lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
static inline int hs_space(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }

/* Is the text at [at, at+n) `word` (lower case), any case? */
static int hs_is(const uint8_t *at, size_t n, const char *word)
{
    if (strlen(word) != n) return 0;
    for (size_t i = 0; i < n; i++)
        if (hs_lower(at[i]) != (uint8_t)word[i]) return 0;
    return 1;
}

static int hs_starts(const uint8_t *at, size_t n, const char *word)
{
    size_t k = strlen(word);
    return n >= k && hs_is(at, k, word);
}

static int hs_has(const uint8_t *at, size_t n, const char *word)
{
    size_t k = strlen(word);
    if (n > 512) n = 512;  /* a value, not a document: keeps the search linear */
    for (size_t i = 0; i + k <= n; i++)
        if (hs_is(at + i, k, word)) return 1;
    return 0;
}

/* A number with optional sign and fraction; returns the bytes read, 0 when there is none. */
static size_t hs_number(const uint8_t *at, size_t n, float *out)
{
    size_t i = 0;
    float value = 0, scale = 1;
    int negative = 0, digits = 0;
    if (i < n && (at[i] == '-' || at[i] == '+')) negative = at[i++] == '-';
    for (; i < n && i < 32 && at[i] >= '0' && at[i] <= '9'; i++, digits++) value = value * 10 + (at[i] - '0');
    if (i + 1 < n && at[i] == '.' && at[i + 1] >= '0' && at[i + 1] <= '9')
        for (i++; i < n && i < 64 && at[i] >= '0' && at[i] <= '9'; i++, digits++) value += (at[i] - '0') * (scale /= 10);
    if (!digits) return 0;
    *out = negative ? -value : value;
    return i;
}

/* A length in pixels. em and % count as parts of 16 pixels, but for zero they need not be right. */
static int hs_length(const uint8_t *at, size_t n, float *out)
{
    size_t used = hs_number(at, n, out);
    if (!used) return 0;
    at += used; n -= used;
    if (hs_starts(at, n, "pt")) *out *= 96.0f / 72;
    else if (hs_starts(at, n, "em") || hs_starts(at, n, "rem")) *out *= 16;
    else if (hs_starts(at, n, "in")) *out *= 96;
    else if (hs_starts(at, n, "cm")) *out *= 96 / 2.54f;
    else if (n && at[0] == '%') *out *= 6;
    return 1;
}

/* A font size: pixels, or minus the factor of the parent's size (em, %). */
static int hs_font_size(const uint8_t *at, size_t n, float *out)
{
    size_t used = hs_number(at, n, out);
    if (!used) return 0;
    at += used; n -= used;
    if (*out < 0) return 0;
    if (hs_starts(at, n, "em") || (n && at[0] == '%')) {
        *out = -(at[0] == '%' ? *out / 100 : *out);
        if (*out == 0) *out = 0;  /* no negative zero */
        return 1;
    }
    if (hs_starts(at, n, "rem")) *out *= 16;
    if (hs_starts(at, n, "pt")) *out *= 96.0f / 72;
    return 1;
}

static inline void hs_put(hs_style *s, int property, float value, int important)
{
    uint32_t bit = 1u << property;
    if ((s->important & bit) && !important) return;
    s->set |= bit;
    if (important) s->important |= bit;
    s->value[property] = value;
}

static void hs_colour_value(hs_style *s, int property, const uint8_t *at, size_t n, int important)
{
    uint32_t bit = 1u << property, colour = hc_parse(at, n);
    if (colour == HC_NONE || ((s->important & bit) && !important)) return;
    s->set |= bit;
    if (important) s->important |= bit;
    if (property == HP_COLOUR) s->colour = colour; else s->background = colour;
}

/* background: a picture or gradient makes the colour behind the words unknown. */
static void hs_background(hs_style *s, const uint8_t *at, size_t n, int important)
{
    if (hs_has(at, n, "url(") || hs_has(at, n, "gradient(")) {
        hs_put(s, HP_BACKGROUND, 0, important);
        s->background = HC_UNKNOWN;
        return;
    }
    size_t end = 0;
    if (hs_starts(at, n, "rgb")) while (end < n && at[end] != ')') end++;
    while (end < n && !hs_space(at[end])) end++;
    hs_colour_value(s, HP_BACKGROUND, at, end, important);
}

static void hs_keyword(hs_style *s, int property, const uint8_t *at, size_t n, int important)
{
    float value = 0;
    switch (property) {
    case HP_DISPLAY:
        value = hs_is(at, n, "none") ? HD_NONE : hs_is(at, n, "inline") || hs_is(at, n, "contents") ? HD_INLINE
            : hs_starts(at, n, "table-") ? HD_CELL : HD_BLOCK;
        break;
    case HP_VISIBILITY: value = hs_is(at, n, "hidden") || hs_is(at, n, "collapse") ? 1 : hs_is(at, n, "visible") ? 2 : 0; break;
    case HP_OVERFLOW: value = hs_starts(at, n, "hidden") || hs_starts(at, n, "clip") ? 1 : 2; break;
    case HP_POSITION: value = hs_is(at, n, "absolute") || hs_is(at, n, "fixed") ? 1 : 2; break;
    case HP_MSO: value = hs_is(at, n, "all") ? 1 : 2; break;
    default: break;
    }
    if (value != 0 && !hs_is(at, n, "inherit")) hs_put(s, property, value, important);
}

typedef struct { const char *name; uint8_t size, property; } hs_name;
static const hs_name HS_NAMES[] = {
    { "top", 3, HP_TOP }, { "font", 4, HP_FONT }, { "left", 4, HP_LEFT }, { "color", 5, HP_COLOUR },
    { "width", 5, HP_WIDTH }, { "height", 6, HP_HEIGHT }, { "display", 7, HP_DISPLAY }, { "opacity", 7, HP_OPACITY },
    { "mso-hide", 8, HP_MSO }, { "overflow", 8, HP_OVERFLOW }, { "position", 8, HP_POSITION },
    { "font-size", 9, HP_FONT }, { "max-width", 9, HP_MAX_WIDTH }, { "background", 10, HP_BACKGROUND },
    { "max-height", 10, HP_MAX_HEIGHT }, { "overflow-x", 10, HP_OVERFLOW }, { "overflow-y", 10, HP_OVERFLOW },
    { "visibility", 10, HP_VISIBILITY }, { "margin-left", 11, HP_MARGIN }, { "text-indent", 11, HP_INDENT },
    { "background-color", 16, HP_BACKGROUND }, { "background-image", 16, HP_IMAGE },
};

static int hs_property_of(const uint8_t *at, size_t n)
{
    if (n < 3 || n > 16) return -1;
    uint8_t first = hs_lower(at[0]);
    for (size_t i = 0; i < sizeof(HS_NAMES) / sizeof(HS_NAMES[0]); i++)
        if (HS_NAMES[i].size == n && HS_NAMES[i].name[0] == first && hs_is(at, n, HS_NAMES[i].name))
            return HS_NAMES[i].property;
    return -1;
}

/* One declaration "name: value", both trimmed. */
static void hs_declare(hs_style *s, const uint8_t *name, size_t n_name, const uint8_t *at, size_t n)
{
    int property = hs_property_of(name, n_name), important = 0;
    float number;
    if (property < 0 || n == 0) return;
    for (size_t i = n; i-- > 0 && n - i < 16;)
        if (at[i] == '!') {
            important = hs_has(at + i, n - i, "important");
            for (n = i; n > 0 && hs_space(at[n - 1]);) n--;
            break;
        }
    switch (property) {
    case HP_COLOUR: hs_colour_value(s, property, at, n, important); break;
    case HP_BACKGROUND: hs_background(s, at, n, important); break;
    case HP_IMAGE: if (!hs_is(at, n, "none")) hs_background(s, at, n, important); break;
    case HP_FONT:
        if (n_name == 4) {  /* the shorthand: the size is the first token that begins with a digit */
            size_t i = 0;
            while (i < n && !((at[i] >= '0' && at[i] <= '9' && (i == 0 || hs_space(at[i - 1]))))) i++;
            /* a weight such as 700 comes before it */
            if (i + 3 < n && at[i + 1] == '0' && at[i + 2] == '0' && hs_space(at[i + 3])) i += 4;
            at += i; n -= i;
        }
        if (hs_font_size(at, n, &number)) hs_put(s, HP_FONT, number, important);
        break;
    case HP_OPACITY: if (hs_number(at, n, &number)) hs_put(s, property, number, important); break;
    case HP_LEFT: case HP_TOP: case HP_INDENT: case HP_WIDTH: case HP_HEIGHT: case HP_MAX_WIDTH: case HP_MAX_HEIGHT:
    case HP_MARGIN:
        if (hs_length(at, n, &number)) hs_put(s, property, number, important);
        else if (hs_is(at, n, "auto") || hs_is(at, n, "none")) hs_put(s, property, 1e6f, important);
        break;
    default: hs_keyword(s, property, at, n, important);
    }
}

/* Declarations of a style attribute or of one block of a <style> element; comments are skipped. */
static void hs_declarations(hs_style *s, const uint8_t *at, size_t n)
{
    size_t i = 0;
    while (i < n) {
        while (i < n && (hs_space(at[i]) || at[i] == ';')) i++;
        if (i + 1 < n && at[i] == '/' && at[i + 1] == '*') {
            const uint8_t *end = memmem(at + i + 2, n - i - 2, "*/", 2);
            i = end ? (size_t)(end - at) + 2 : n;
            continue;
        }
        size_t name = i;
        while (i < n && at[i] != ':' && at[i] != ';') i++;
        size_t name_end = i;
        if (i >= n || at[i] == ';') continue;
        i++;
        while (i < n && hs_space(at[i])) i++;
        size_t value = i;
        for (int depth = 0; i < n && (at[i] != ';' || depth > 0); i++) depth += at[i] == '(' ? 1 : at[i] == ')' ? -1 : 0;
        size_t end = i;
        while (name_end > name && hs_space(at[name_end - 1])) name_end--;
        while (end > value && hs_space(at[end - 1])) end--;
        hs_declare(s, at + name, name_end - name, at + value, end - value);
    }
}

/* Declarations of `from` over those of `to`, as the cascade has them. */
static void hs_cascade(hs_style *to, const hs_style *from)
{
    for (uint32_t left = from->set; left; left &= left - 1) {
        int property = __builtin_ctz(left);
        uint32_t bit = 1u << property;
        if ((to->important & bit) && !(from->important & bit)) continue;
        to->set |= bit;
        to->important |= from->important & bit;
        to->value[property] = from->value[property];
        if (property == HP_COLOUR) to->colour = from->colour;
        if (property == HP_BACKGROUND) to->background = from->background;
    }
}

static inline int hs_at_most(const hs_style *s, int property, float limit)
{
    return (s->set >> property & 1) && s->value[property] <= limit;
}

/* Is the box cut to nothing? Inline boxes have no size, cells of tables grow with what they hold. */
static int hs_is_clipped(const hs_style *s, int display)
{
    if (display == HD_INLINE || display == HD_CELL || !(s->set >> HP_OVERFLOW & 1) || s->value[HP_OVERFLOW] != 1) return 0;
    return hs_at_most(s, HP_WIDTH, 1) || hs_at_most(s, HP_HEIGHT, 1) || hs_at_most(s, HP_MAX_WIDTH, 1)
        || hs_at_most(s, HP_MAX_HEIGHT, 1);
}

/* What holds for an element: its parent's, changed by its own declarations. `display` is the element's by default. */
static void hs_compute(hs_computed *out, const hs_computed *parent, const hs_style *s, int display)
{
    *out = *parent;
    if (s->set == 0) return;
    if (s->set >> HP_DISPLAY & 1) {
        int own = (int)s->value[HP_DISPLAY];
        if (own == HD_NONE) out->flags |= HS_NONE;
        else if (display != HD_CELL || own == HD_BLOCK) display = own;
    }
    if (s->set >> HP_VISIBILITY & 1)
        out->flags = s->value[HP_VISIBILITY] == 1 ? out->flags | HS_VISIBILITY : out->flags & ~(uint32_t)HS_VISIBILITY;
    if (hs_at_most(s, HP_OPACITY, 0.05f)) out->flags |= HS_OPACITY;
    if ((s->set >> HP_MSO & 1) && s->value[HP_MSO] == 1) out->flags |= HS_MSO;
    if (s->set >> HP_FONT & 1) {
        out->font = s->value[HP_FONT] < 0 ? -s->value[HP_FONT] * parent->font : s->value[HP_FONT];
        if (!(out->font < 10000)) out->font = 10000;  /* as browsers do; keeps factors of factors finite */
    }
    if (s->set >> HP_COLOUR & 1) out->colour = s->colour;
    if ((s->set >> HP_BACKGROUND & 1) && s->background != HC_CLEAR) out->background = s->background;
    if (hs_is_clipped(s, display)) out->flags |= HS_CLIPPED;
    if ((s->set >> HP_POSITION & 1) && s->value[HP_POSITION] == 1
        && (hs_at_most(s, HP_LEFT, HS_FAR) || hs_at_most(s, HP_TOP, HS_FAR))) out->flags |= HS_OFFSCREEN;
    if (hs_at_most(s, HP_MARGIN, HS_FAR)) out->flags |= HS_OFFSCREEN;
    if (s->set >> HP_INDENT & 1) out->is_indented = s->value[HP_INDENT] <= HS_FAR;
}

/* Why words in an element with this style are not shown; 0 when they are. */
static uint32_t hs_hidden(const hs_computed *c)
{
    uint32_t flags = c->flags;
    if (c->font <= HS_SMALL) flags |= HS_TINY;
    if (c->is_indented) flags |= HS_OFFSCREEN;
    if (hc_is_near(c->colour, c->background)) flags |= HS_COLOUR;
    return flags;
}
#endif
