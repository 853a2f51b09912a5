/* Colours, sizes and visibility of text as SpamAssassin works them out: a stack of open elements.
 *
 * Not how browsers do it (that is html_style.h): only the elements named in sa_tag.h count, a bgcolor attribute does
 * not, style sheets do not. Source: behaviour of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_STYLE_H
#define MXWARD_SA_STYLE_H

#include "html_colour.h"
#include "sa_state.h"

#define SA_COLOUR 48  /* characters of a colour that are looked at */
enum { SA_CLEAR = -3 };  /* transparent, until the whole style is read */

static sa_value sa_trim(sa_value v)
{
    while (v.size && sa_space(v.at[0])) { v.at++; v.size--; }
    while (v.size && sa_space(v.at[v.size - 1])) v.size--;
    return v;
}

static int sa_is(sa_value v, const char *word)
{
    size_t n = strlen(word);
    if (v.size != n) return 0;
    for (size_t i = 0; i < n; i++) if (sa_lower(v.at[i]) != (uint8_t)word[i]) return 0;
    return 1;
}

static int sa_begins(sa_value v, const char *word)
{
    size_t n = strlen(word);
    sa_value head = { v.at, v.size < n ? v.size : n, 1 };
    return sa_is(head, word);
}

static int32_t sa_named_colour(const char *word)
{
    size_t low = 0, high = HC_N;
    if (strcmp(word, "rebeccapurple") == 0) return SA_INVALID;  /* younger than the list */
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(word, HC_NAMES[middle].name);
        if (order == 0) return (int32_t)HC_NAMES[middle].value;
        if (order < 0) high = middle; else low = middle + 1;
    }
    return SA_INVALID;
}

/* Hexadecimal digits, n of them: 6, or 3 doubled; fewer are filled up with zeros, others cut. */
static int32_t sa_hex_colour(const char *digits, size_t n)
{
    char six[7] = "000000";
    if (n == 0) return SA_EMPTY;
    if (n >= 6) memcpy(six, digits, 6);
    else for (size_t i = 0; i < 3; i++) six[2 * i] = six[2 * i + 1] = i < n ? digits[i] : '0';
    return (int32_t)strtol(six, NULL, 16);
}

/* Three numbers or percentages behind "rgb(" as hexadecimal digits; 0 when it is something else. */
static size_t sa_rgb_digits(const char *text, char *digits)
{
    const char *at = strstr(text, "rgb(");
    size_t n = 0;
    if (!at) return 0;
    at += 4;
    for (int i = 0; i < 3; i++) {
        char *end;
        if (*at < '0' || *at > '9') return 0;
        unsigned long value = strtoul(at, &end, 10);
        if (*end == '%') { value = (unsigned long)((double)value / 100 * 255); end++; }
        n += (size_t)snprintf(digits + n, 20, "%02lx", value & 0xFFFFFFFFul);
        at = end;
        if (i < 2) {
            if (*at != ',') return 0;
            at++;
            while (*at == ' ') at++;
        }
    }
    while (*at == ' ') at++;
    return *at == ')' ? n : 0;
}

/* A colour of an attribute or of `background`. */
static int32_t sa_colour(sa_value v)
{
    char text[SA_COLOUR + 1], digits[64];
    size_t n = 0;
    v = sa_trim(v);
    if (v.size > SA_COLOUR) return SA_INVALID;
    for (size_t i = 0; i < v.size; i++) text[i] = (char)sa_lower(v.at[i]);
    text[v.size] = 0;
    int32_t named = sa_named_colour(text);
    if (named != SA_INVALID) return named;
    if ((n = sa_rgb_digits(text, digits))) return sa_hex_colour(digits, n > 6 ? 6 : n);
    if (text[0] != '#') return SA_INVALID;
    for (size_t i = 0; i < v.size; i++) {
        int is_hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
        if (!is_hex && text[i] != '#') return SA_INVALID;
        if (is_hex && n < 6) digits[n++] = text[i];
    }
    return sa_hex_colour(digits, n);
}

/* A colour of a style: numbers are cut at 255 whatever stands between them. */
static int32_t sa_style_colour(sa_value v, int32_t old)
{
    char text[SA_COLOUR + 1];
    uint32_t part[3] = { 0, 0, 0 };
    int at = 0;
    sa_value mark = v;
    for (; mark.size >= 9 && !sa_begins(mark, "important"); mark.at++, mark.size--) { }
    if (mark.size == 9) {  /* !important, at the end */
        size_t n = v.size - 9;
        while (n && sa_space(v.at[n - 1])) n--;
        if (n && v.at[n - 1] == '!') { n--; while (n && sa_space(v.at[n - 1])) n--; v.size = n; }
    }
    size_t used = v.size < SA_COLOUR ? v.size : SA_COLOUR;
    for (size_t i = 0; i < used; i++) text[i] = (char)sa_lower(v.at[i]);
    text[used] = 0;
    if (strstr(text, "rgb")) {
        for (size_t i = 0; i < used && at < 3; i++) {
            if (text[i] == ',') at++;
            else if (text[i] >= '0' && text[i] <= '9' && part[at] < 100000)
                part[at] = part[at] * 10 + (uint32_t)(text[i] - '0');
        }
        for (int i = 0; i < 3; i++) if (part[i] > 255) part[i] = 255;
        return (int32_t)(part[0] << 16 | part[1] << 8 | part[2]);
    }
    if (sa_is(v, "inherit")) return old;
    if (sa_is(v, "transparent")) return SA_CLEAR;
    return sa_colour(v);
}

/* The first colour of the last layer of a `background`; `old` when there is none. */
static int32_t sa_background(sa_value v, int32_t old)
{
    int32_t found = old;
    int has_colour = 0, depth = 0;
    uint8_t quote = 0;
    size_t from = 0;
    for (size_t i = 0; i <= v.size; i++) {
        uint8_t c = i < v.size ? v.at[i] : ' ';
        int ends = 0;
        if (i < v.size && quote) { if (c == quote) quote = 0; }
        else if (i < v.size && (c == '"' || c == '\'')) quote = c;
        else if (i < v.size && depth) { if (c == ')') { depth = 0; ends = 1; } }
        else if (c == '(') depth = 1;
        else if (c == ' ' || c == ',') ends = 1;
        if (!ends && i < v.size) continue;
        size_t to = c == ')' && i < v.size ? i + 1 : i < v.size ? i : v.size;
        if (to > from) {
            sa_value token = { v.at + from, to - from, 1 };
            int32_t colour = has_colour ? SA_INVALID : sa_colour(token);
            if (colour != SA_INVALID) { found = colour; has_colour = 1; }
        }
        from = i + 1;
        if (c == ',' && i < v.size && i + 1 < v.size) { found = old; has_colour = 0; }
    }
    return found;
}

/* One declaration of a style attribute. */
static void sa_declare(sa_value part, sa_style *style)
{
    size_t n = 0;
    part = sa_trim(part);
    while (n < part.size) {
        uint8_t c = sa_lower(part.at[n]);
        if (!((c >= 'a' && c <= 'z') || c == '-' || c == '_')) break;
        n++;
    }
    sa_value name = { part.at, n, 1 };
    size_t colon = n;
    while (colon < part.size && sa_space(part.at[colon])) colon++;
    if (colon >= part.size || part.at[colon] != ':') return;
    sa_value value = { part.at + colon + 1, part.size - colon - 1, 1 };
    value = sa_trim(value);
    if (value.size == 0 || memchr(value.at, '\n', value.size)) return;
    int is_tight = colon == n;  /* colours are not read with space before the colon */
    if (is_tight && sa_is(name, "color")) style->fg = sa_style_colour(value, style->fg);
    else if (is_tight && sa_is(name, "background-color")) style->bg = sa_style_colour(value, style->bg);
    else if (is_tight && n == 10 && memcmp(name.at, "background", 10) == 0) style->bg = sa_background(value, style->bg);
    else if (n == 7 && memcmp(name.at, "display", 7) == 0) style->is_none = (uint8_t)sa_is(value, "none");
    else if (n == 10 && memcmp(name.at, "visibility", 10) == 0) style->is_hidden = (uint8_t)sa_is(value, "hidden");
}

/* A style attribute. */
static void sa_restyle(sa_value text, sa_style *style, int32_t outer_bg)
{
    size_t from = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.at[i] != ';') continue;
        sa_value part = { text.at + from, i - from, 1 };
        sa_declare(part, style);
        from = i + 1;
    }
    if (style->bg == SA_CLEAR) style->bg = outer_bg;
    if (style->fg == SA_CLEAR) style->fg = style->bg;
}

static void sa_push(sa_state *s, const sa_style *style)
{
    if (s->n_styles == s->max_styles) {
        size_t wanted = s->max_styles * 2;
        sa_style *more = wanted > SA_MAX_STYLES * 2 ? NULL : realloc(s->styles, wanted * sizeof(sa_style));
        if (!more) { s->failed |= wanted <= SA_MAX_STYLES * 2; return; }
        s->styles = more;
        s->max_styles = wanted;
    }
    s->n_open[style->tag]++;
    s->styles[s->n_styles++] = *style;
}

static inline void sa_pop(sa_state *s) { s->n_open[s->styles[--s->n_styles].tag]--; }

/* The element and everything in it ends. The lowest entry, of no element, stays. */
static void sa_close(sa_state *s, int tag)
{
    if (s->n_open[tag] == 0) return;
    while (s->n_styles > 1) {
        int top = s->styles[s->n_styles - 1].tag;
        sa_pop(s);
        if (top == tag) break;
    }
}

/* Whether text in the innermost element cannot be seen; notes why. */
static int sa_is_invisible(sa_state *s)
{
    const sa_style *style = &s->styles[s->n_styles - 1];
    if (style->fg == style->bg) { s->low_contrast = 1; return 1; }
    if (style->fg >= 0 && style->bg >= 0) {
        double r = 0.2126 * ((style->fg >> 16) - (style->bg >> 16));
        double g = 0.7152 * ((style->fg >> 8 & 255) - (style->bg >> 8 & 255));
        double b = 0.0722 * ((style->fg & 255) - (style->bg & 255));
        if (r * r + g * g + b * b < 144) { s->low_contrast = 1; return 1; }
    }
    if (style->fg == SA_INVALID || style->bg == SA_INVALID) { s->invalid_colour = 1; return 1; }
    return style->size <= 1 || style->is_none || style->is_hidden;
}

#endif
