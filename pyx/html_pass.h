/* The pass over an HTML document: tags, references and words in turn. What it works on is in htmltext.h. */
#ifndef MXWARD_HTML_PASS_H
#define MXWARD_HTML_PASS_H

#include "htmltext.h"

/* Everything an element declares: presentational attributes, then rules, then its style attribute. */
static const hs_style *ht_own(ht_state *s, const ht_info *info, ht_looks *looks, const uint8_t *tag, size_t n)
{
    if (info->id == HT_A && !(looks->hints.set >> HP_COLOUR & 1) && looks->is_link) {
        looks->hints.set |= 1u << HP_COLOUR;
        looks->hints.colour = 0x0000ee;
    }
    if (s->rules != NULL && s->rules->n)
        hr_match(s->rules, &looks->hints, tag, n, s->data + looks->classes.at, looks->classes.size,
                 s->data + looks->id.at, looks->id.size);
    if (looks->style.size) hs_declarations(&looks->hints, s->data + looks->style.at, looks->style.size);
    return looks->hints.set ? &looks->hints : NULL;
}

/* A <style> element with content [at, end). Rules that come behind words ask for a second pass. */
static void ht_style_element(ht_state *s, const ht_looks *looks, size_t at, size_t end)
{
    if (s->is_second || looks->is_other_media) return;
    if (s->rules == NULL && (s->rules = hr_new()) == NULL) { s->failed = 1; return; }
    int before = s->rules->n;
    hr_read(s->rules, s->data + at, end - at);
    s->late_rules |= s->rules->n > before && s->shown > 0;
}

/* The end tag or end of file of a raw-text element whose start tag ends before `at`; returns the offset past it. */
static size_t ht_raw(ht_state *s, const ht_info *info, const ht_looks *looks, size_t at)
{
    size_t end = ht_raw_end(s->data, s->size, at, info->name);
    if (info->id == HT_STYLE) ht_style_element(s, looks, at, end);
    return end < s->size ? ht_skip_markup(s->data, s->size, end) : s->size;
}

/* One tag at `at` ('<' + letter or '</' + letter); returns the offset past it. */
static size_t ht_tag(ht_state *s, size_t at)
{
    const uint8_t *data = s->data;
    int closing = data[at + 1] == '/';
    size_t name = at + 1 + (size_t)closing, end = name;
    while (end < s->size && !hs_space(data[end]) && data[end] != '>' && data[end] != '/') end++;
    size_t n = end - name;
    uint64_t key = ht_key(data + name, n);
    const ht_info *info = ht_find(&HT_TAG_NAMES, key);
    if (!(info->is & HT_INLINE)) ht_line_end(s);
    if (closing) {
        if (info->id == HT_A) ht_close_link(s);
        ht_end(&s->tree, key, info);
        ht_refresh(s);
        return ht_skip_markup(data, s->size, at);
    }
    ht_looks looks;
    looks.style.size = looks.classes.size = looks.id.size = 0;
    looks.style.at = looks.classes.at = looks.id.at = 0;
    looks.hints.set = looks.hints.important = 0;
    looks.is_link = looks.is_other_media = 0;
    s->n_forms += info->id == HT_FORM;
    ht_imply(&s->tree, info);
    ht_refresh(s);
    end = ht_attributes(s, info, &looks, end);
    if (info->id == HT_SCRIPT || info->id == HT_STYLE) {
        s->n_scripts += info->id == HT_SCRIPT;
        return ht_raw(s, info, &looks, end);
    }
    if (info->is & HT_VOID) return end;
    ht_push(&s->tree, key, info, ht_own(s, info, &looks, data + name, n));
    ht_refresh(s);
    return end;
}

/* Does the document type at `at` ask for standards? Without one, and for old ones, browsers work in quirks mode. */
static void ht_doctype(ht_state *s, size_t at, size_t end)
{
    if (end - at < 10 || !hs_is(s->data + at + 2, 7, "doctype")) return;
    const uint8_t *text = s->data + at + 9;
    size_t n = end - at - 9;
    s->tree.quirks = !(hs_has(text, n, "xhtml") || hs_has(text, n, "html 4.01//") || hs_has(text, n, "loose.dtd")
        || hs_has(text, n, "about:legacy") || n < 12);
}

/* "<!" or "<?" at `at`; returns the offset past it, or past the condition of a conditional comment, which is entered. */
static size_t ht_declaration(ht_state *s, size_t at)
{
    const uint8_t *data = s->data;
    size_t end = ht_skip_markup(data, s->size, at);
    if (s->condition_end || end - at < 24 || !hs_is(data + at, 7, "<!--[if") || memcmp(data + end - 3, "-->", 3) != 0) {
        ht_doctype(s, at, end);
        return end;
    }
    const uint8_t *body = memmem(data + at, end - at, "]>", 2);
    if (body == NULL || data + end - body < 12 || memcmp(body + 2, "<!", 2) == 0) return end;
    s->condition_end = end;
    s->condition_depth = s->tree.depth;
    ht_push(&s->tree, 0, &HT_DOCUMENT, NULL);
    ht_refresh(s);
    return (size_t)(body - data) + 2;
}

/* Behind a conditional comment nothing of it is left open. */
static void ht_leave_condition(ht_state *s)
{
    if (s->tree.depth > s->condition_depth) ht_cut(&s->tree, s->condition_depth, 0);
    else if (s->tree.beyond) s->tree.beyond--;
    s->condition_end = 0;
    ht_refresh(s);
}

/* Text at `at`, up to the next markup or reference that is one; returns the offset past it. */
static size_t ht_words(ht_state *s, size_t at)
{
    const uint8_t *data = s->data;
    size_t from = s->n, next = at, limit = s->condition_end ? s->condition_end - 3 : s->size;
    if (s->tree.count[HT_HEAD] && s->tree.open[s->tree.depth - 1].info->id == HT_HEAD && data[at] > ' ') {
        ht_close_id(&s->tree, HT_HEAD, HT_TABLE, HT_TABLE, 0);
        ht_refresh(s);
    }
    if (data[at] > ' ') s->tree.pending = 0;
    ht_mark(s);
    if (data[at] == '&' && s->size - at >= 3) {
        size_t used = data[at + 1] == '#' ? he_numeric(data + at, s->size - at, s->out, &s->n)
                                          : he_named(data + at, s->size - at, s->out, &s->n, 0);
        if (used) { ht_count(s, from); return at + used; }
    }
    next = ht_next(data, limit, at + 1);  /* at least one byte, whatever it is */
    memcpy(s->out + s->n, data + at, next - at);  /* the output never outgrows the source */
    s->n += next - at;
    ht_count(s, from);
    return next;
}

static void ht_reset(ht_state *s)
{
    s->n = s->n_urls = s->n_links = s->n_spans = s->shown = s->condition_end = 0;
    s->n_forms = s->n_passwords = s->n_scripts = s->hide = 0;
    s->in_span = s->late_rules = 0;
    s->open_link = -1;
    memset(s->reasons, 0, sizeof(s->reasons));
    ht_plant(&s->tree);
}

static void ht_pass(ht_state *s)
{
    size_t at = 0;
    ht_reset(s);
    while (at < s->size && !s->failed) {
        if (s->condition_end && at >= s->condition_end - 3) {  /* at "-->", or a tag that swallowed it */
            if (at < s->condition_end) at = s->condition_end;
            ht_leave_condition(s);
            continue;
        }
        if (s->data[at] == '<' && s->size - at >= 3) {
            uint8_t next = s->data[at + 1];
            if (next == '!' || next == '?') { at = ht_declaration(s, at); continue; }
            if (ht_letter(next) || (next == '/' && ht_letter(s->data[at + 2]))) { at = ht_tag(s, at); continue; }
        }
        at = ht_words(s, at);
    }
    ht_close_link(s);
    if (s->in_span && !s->failed) ht_end_span(s);
}

/* The whole document. At most two passes: the second when rules of style came behind the words they are about. */
static void ht_run(ht_state *s)
{
    s->failed = s->is_second = 0;
    ht_pass(s);
    if (!s->late_rules || s->failed) return;
    s->is_second = 1;
    ht_pass(s);
}

/* Hidden stretches apart from shown ones. `shown` and `hidden` hold s->n + s->n_spans bytes at least. */
static void ht_divide(const ht_state *s, uint8_t *shown, size_t *n_shown, uint8_t *hidden, size_t *n_hidden)
{
    size_t at = 0, a = 0, b = 0;
    for (size_t i = 0; i < s->n_spans; i++) {
        const ht_span *span = &s->spans[i];
        memcpy(shown + a, s->out + at, span->start - at);
        a += span->start - at;
        if (b) hidden[b++] = ' ';  /* stretches do not run into one word */
        memcpy(hidden + b, s->out + span->start, span->end - span->start);
        b += span->end - span->start;
        at = span->end;
    }
    memcpy(shown + a, s->out + at, s->n - at);
    *n_shown = a + s->n - at;
    *n_hidden = b;
}
#endif
