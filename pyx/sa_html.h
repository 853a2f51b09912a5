/* HTML taken apart as Perl's HTML::Parser does it, in one pass, with its ideas of broken markup.
 *
 * A tag begins at '<' with a letter, '_' or ':' behind it, '/', '!' or '?'; what is never closed is text or, at the end
 * of the document, a comment. Not here: what tags mean (sa_tag.h), the way through a document (sa_document.h).
 * Source: behaviour of HTML::Parser 3.81 with marked_sections, and of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_HTML_H
#define MXWARD_SA_HTML_H

#include "sa_tag.h"

/* Elements whose content is text; references count in the last two. */
static const struct { const char *name; int size, is_cdata; } SA_LITERAL[] = {
    { "script", 6, 1 }, { "style", 5, 1 }, { "xmp", 3, 1 }, { "iframe", 6, 1 }, { "plaintext", 9, 1 },
    { "title", 5, 0 }, { "textarea", 8, 0 }
};
#define SA_N_LITERAL 7
enum { SL_SCRIPT, SL_STYLE, SL_XMP, SL_IFRAME, SL_PLAINTEXT, SL_TITLE, SL_TEXTAREA };
enum { SM_NONE, SM_INCLUDE, SM_RCDATA, SM_CDATA, SM_IGNORE };  /* kinds of marked sections, the strongest last */
#define SM_DEPTH 32
#define SA_MAX_AGAIN 50  /* titles that are never closed; each makes the rest be read once more */

typedef struct {
    sa_state *s;
    const uint8_t *end;
    int literal;               /* of SA_LITERAL, or -1 */
    int pending;               /* the same: was never closed, and ends before the next tag */
    int is_cdata;              /* references stand for themselves; stays set when the document ends in a script */
    int any_end_closes;        /* at the end of the document a comment ends at any '>' */
    uint8_t marked[SM_DEPTH]; int n_marked;
} sa_parser;

static inline int sh_first(uint8_t c) { return ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || c == ':'; }
static inline int sh_name(uint8_t c) { return se_alnum(c) || c == ':' || c == '.' || c == '-'; }

static int sm_mode(const sa_parser *p)
{
    int mode = SM_NONE;
    for (int i = 0; i < p->n_marked; i++) if (p->marked[i] > mode) mode = p->marked[i];
    return mode;
}

static void sm_pop(sa_parser *p)
{
    p->n_marked--;
    p->is_cdata = sm_mode(p) == SM_CDATA;
}

static void sh_text(sa_parser *p, const uint8_t *from, const uint8_t *to)
{
    int mode = sm_mode(p);
    if (to <= from || mode == SM_IGNORE) return;
    sa_text(p->s, from, (size_t)(to - from), p->is_cdata);
}

static void sh_close_pending(sa_parser *p)
{
    if (p->pending < 0) return;
    sa_end_tag(p->s, (const uint8_t *)SA_LITERAL[p->pending].name, (size_t)SA_LITERAL[p->pending].size);
    p->pending = -1;
}

static void sh_comment(sa_parser *p, const uint8_t *from, const uint8_t *to)
{
    if (sm_mode(p) == SM_IGNORE) return;
    sa_item *item = sa_add(p->s, SA_COMMENT);
    if (item) { item->at = (uint32_t)(from - p->s->data); item->size = (uint32_t)(to - from); }
}

/* Every function below takes the '<' of some markup and returns what is behind it, NULL when it is none, or the '<'
 * itself when the document ends before it does. p->end is readable: a zero stands there. */

static const uint8_t *sh_skip(const uint8_t *at, const uint8_t *end)
{
    while (at < end && sa_space(*at)) at++;
    return at;
}

/* One attribute at `at`; fills the slot when it is one that is read. Returns behind it, NULL when the document ends. */
static const uint8_t *sh_attribute(sa_parser *p, const uint8_t *at, sa_attributes *found)
{
    const uint8_t *end = p->end, *name = at++;
    while (at < end && !sa_space(*at) && *at != '=' && *at != '>') at++;
    size_t n_name = (size_t)(at - name);
    sa_value value = { name, n_name, 1 };  /* without a value the name stands for it */
    at = sh_skip(at, end);
    if (at < end && *at == '=') {
        at = sh_skip(at + 1, end);
        if (at == end) return NULL;
        const uint8_t *from = at;
        if (*at == '"' || *at == '\'') {
            at = memchr(at + 1, *at, (size_t)(end - at - 1));
            if (!at) return NULL;
            value.at = from + 1;
            value.size = (size_t)(at - from - 1);
            at++;
        } else {
            while (at < end && !sa_space(*at) && *at != '>') at++;
            value.at = from;
            value.size = (size_t)(at - from);
        }
        at = sh_skip(at, end);
    }
    if (at == end) return NULL;
    int is_broken, slot = st_attribute(name, n_name, &is_broken);
    if (slot >= 0 && (is_broken || !found->value[slot].is_set)) found->value[slot] = value;
    return at;
}

static const uint8_t *sh_start(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *at = mark + 2, *name = mark + 1;
    sa_attributes found;
    memset(&found, 0, sizeof(found));
    while (at < end && !sa_space(*at) && *at != '>') at++;
    size_t n = (size_t)(at - name);
    at = sh_skip(at, end);
    while (at < end && *at != '>') {
        at = sh_attribute(p, at, &found);
        if (!at) return mark;
    }
    if (at == end) return mark;
    sh_close_pending(p);
    if (sm_mode(p) != SM_IGNORE) sa_start_tag(p->s, name, n, &found);
    for (int i = 0; i < SA_N_LITERAL; i++) {
        sa_value v = { name, n, 1 };
        if (sa_is(v, SA_LITERAL[i].name)) { p->literal = i; p->is_cdata = SA_LITERAL[i].is_cdata; }
    }
    return at + 1;
}

/* The '>' that ends an end tag: quotes hide it when they open behind a space or '='. */
static const uint8_t *sh_closing(const uint8_t *at, const uint8_t *end)
{
    uint8_t quote = 0, before = ' ';
    for (; at < end; before = *at++) {
        if (!quote && *at == '>') return at;
        if (*at == '"' || *at == '\'') {
            if (*at == quote) quote = 0;
            else if (!quote && (before == ' ' || before == '=')) quote = *at;
        }
    }
    return end;
}

static const uint8_t *sh_end(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *name = mark + 2, *at = name;
    while (at < end && !sa_space(*at) && *at != '>') at++;
    const uint8_t *stop = sh_closing(at, end);
    if (stop == end) return mark;
    if (at > name) {
        sh_close_pending(p);
        if (sm_mode(p) != SM_IGNORE) sa_end_tag(p->s, name, (size_t)(at - name));
    } else sh_comment(p, mark, stop + 1);
    return stop + 1;
}

static const uint8_t *sh_until(sa_parser *p, const uint8_t *mark, const uint8_t *at)
{
    const uint8_t *stop = memchr(at, '>', (size_t)(p->end - at));
    if (!stop) return mark;
    sh_comment(p, mark, stop + 1);
    return stop + 1;
}

/* "<!--": ends at "--", white space, '>'. */
static const uint8_t *sh_dashes(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *at = mark + 4;
    if (p->any_end_closes) return sh_until(p, mark, at);
    while (at < end) {
        at = memchr(at, '-', (size_t)(end - at));
        if (!at || at + 1 >= end) return mark;
        if (at[1] == '-') {
            const uint8_t *stop = sh_skip(at + 2, end);
            if (stop < end && *stop == '>') { sh_comment(p, mark, stop + 1); return stop + 1; }
        }
        at++;
    }
    return mark;
}

/* "<![": a marked section of SGML, as in <![CDATA[...]]>. NULL when it is none. */
static const uint8_t *sh_marked(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *at = mark + 3;
    int mode = SM_NONE;
    at = sh_skip(at, end);
    while (at < end && sh_first(*at)) {
        const uint8_t *from = at;
        while (at < end && sh_name(*at)) at++;
        sa_value word = { from, (size_t)(at - from), 1 };
        int kind = SM_INCLUDE;
        if (sa_is(word, "cdata")) kind = SM_CDATA;
        else if (sa_is(word, "rcdata")) kind = SM_RCDATA;
        else if (sa_is(word, "ignore")) kind = SM_IGNORE;
        if (kind > mode) mode = kind;
        at = sh_skip(at, end);
    }
    if (at >= end) return mark;
    if (*at != '[') return NULL;
    if (p->n_marked < SM_DEPTH) p->marked[p->n_marked++] = (uint8_t)(mode ? mode : SM_INCLUDE);
    p->is_cdata = sm_mode(p) == SM_CDATA;
    return at + 1;
}

/* "<!DOCTYPE" and "<!ENTITY". NULL when it is malformed. */
static const uint8_t *sh_declaration(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *end = p->end, *at = mark + 2;
    while (at < end && sh_name(*at)) at++;
    sa_value word = { mark + 2, (size_t)(at - mark - 2), 1 };
    if (at == end) return mark;
    int is_type = sa_is(word, "doctype");
    if (!is_type && !sa_is(word, "entity")) return NULL;
    for (;;) {
        at = sh_skip(at, end);
        if (at == end) return mark;
        if (*at == '>') break;
        if (*at == '"' || *at == '\'') {
            at = memchr(at + 1, *at, (size_t)(end - at - 1));
            if (!at) return mark;
            at++;
        } else if (*at == '-') {
            if (at + 1 == end) return mark;
            if (at[1] != '-') return NULL;
            for (at += 2; at + 1 < end && !(at[0] == '-' && at[1] == '-'); at++) { }
            if (at + 1 >= end) return mark;
            at += 2;
        } else {
            while (at < end && !sa_space(*at) && *at != '>') at++;
        }
    }
    sh_close_pending(p);
    if (is_type && sm_mode(p) != SM_IGNORE) { p->s->elements++; p->s->tags++; }
    return at + 1;
}

static const uint8_t *sh_bang(sa_parser *p, const uint8_t *mark)
{
    const uint8_t *at = mark + 2, *found = NULL;
    if (at < p->end && *at == '-') {
        if (at + 1 == p->end) return mark;
        if (at[1] == '-') return sh_dashes(p, mark);
    } else if (at < p->end && *at == '[') {
        found = sh_marked(p, mark);
    } else if (at < p->end && (*at | 32) >= 'a' && (*at | 32) <= 'z') {
        found = sh_declaration(p, mark);
    }
    return found ? found : sh_until(p, mark, at);
}

static const uint8_t *sh_markup(sa_parser *p, const uint8_t *mark)
{
    uint8_t c = mark[1];
    if (sh_first(c)) return sh_start(p, mark);
    if (c == '/') return sh_end(p, mark);
    if (c == '!') return sh_bang(p, mark);
    if (c != '?') return NULL;
    const uint8_t *stop = memchr(mark, '>', (size_t)(p->end - mark));
    if (!stop) return mark;
    sh_close_pending(p);
    return stop + 1;
}

#endif
