/* Rules of <style> elements with simple selectors: tag, .class, #id, tag.class, tag#id, and lists of these.
 *
 * Rules with other selectors are left out, and so is what stands in @media blocks for small screens or print. Bounded:
 * at most HR_MAX rules of a document, chains of one slot at most HR_MAX long but looked through HR_PROBE deep. */
#ifndef MXWARD_HTML_RULES_H
#define MXWARD_HTML_RULES_H

#include <stdlib.h>

#include "html_style.h"

#define HR_MAX 256
#define HR_SLOTS 256
#define HR_PROBE 64
#define HR_MATCHES 16  /* rules that apply to one element */

typedef struct {
    uint32_t name;   /* hash of the class or id; of the tag when it stands alone */
    uint32_t tag;    /* hash of the tag that is asked for beside it, or 0 */
    int16_t next;    /* in its slot, or -1 */
    uint8_t kind;    /* 0 tag, 1 class, 2 id: also its specificity */
    hs_style style;
} hr_rule;

typedef struct {
    int16_t slots[HR_SLOTS];
    int n;
    hr_rule rules[HR_MAX];
} hr_table;

/* FNV-1a; tags are compared without case, names of classes with it. */
static uint32_t hr_hash(const uint8_t *at, size_t n, int fold)
{
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < n; i++) value = (value ^ (fold ? hs_lower(at[i]) : at[i])) * 16777619u;
    return value ? value : 1;
}

static hr_table *hr_new(void)
{
    hr_table *t = malloc(sizeof(hr_table));
    if (t == NULL) return NULL;
    memset(t->slots, 0xff, sizeof(t->slots));
    t->n = 0;
    return t;
}

static inline unsigned hr_slot(uint32_t name, int kind) { return (name ^ name >> 16 ^ (unsigned)kind * 77u) % HR_SLOTS; }

static inline int hr_plain(uint8_t c)
{
    return (c >= '0' && c <= '9') || (hs_lower(c) >= 'a' && hs_lower(c) <= 'z') || c == '-' || c == '_' || c >= 0x80;
}

/* One selector, trimmed, with its declarations. */
static void hr_add(hr_table *t, const uint8_t *at, size_t n, const hs_style *style)
{
    size_t tag = 0;
    uint8_t kind = 0;
    while (tag < n && hr_plain(at[tag])) tag++;
    if (t->n >= HR_MAX || n == 0) return;
    if (tag < n) {
        if (at[tag] != '.' && at[tag] != '#') return;
        kind = at[tag] == '.' ? 1 : 2;
        for (size_t i = tag + 1; i < n; i++) if (!hr_plain(at[i])) return;
        if (tag + 1 == n) return;
    }
    hr_rule *rule = &t->rules[t->n];
    rule->kind = kind;
    rule->tag = kind && tag ? hr_hash(at, tag, 1) : 0;
    rule->name = kind ? hr_hash(at + tag + 1, n - tag - 1, 0) : hr_hash(at, tag, 1);
    rule->style = *style;
    unsigned slot = hr_slot(rule->name, kind);
    rule->next = t->slots[slot];
    t->slots[slot] = (int16_t)t->n++;
}

/* Past white space and comments. */
static size_t hr_blank(const uint8_t *at, size_t i, size_t n)
{
    while (i < n) {
        if (hs_space(at[i])) i++;
        else if (n - i >= 4 && memcmp(at + i, "<!--", 4) == 0) i += 4;
        else if (n - i >= 3 && memcmp(at + i, "-->", 3) == 0) i += 3;
        else if (n - i >= 2 && at[i] == '/' && at[i + 1] == '*') {
            const uint8_t *end = memmem(at + i + 2, n - i - 2, "*/", 2);
            i = end ? (size_t)(end - at) + 2 : n;
        } else break;
    }
    return i;
}

/* An at-rule at `i`. Returns where reading goes on: inside the block of @media all and screen, else behind it. */
static size_t hr_at_rule(const uint8_t *at, size_t i, size_t n, int *depth)
{
    size_t start = i;
    while (i < n && at[i] != '{' && at[i] != ';') i++;
    if (i >= n || at[i] == ';') return i < n ? i + 1 : n;
    size_t end = i;
    while (end > start && hs_space(at[end - 1])) end--;
    if (hs_is(at + start, end - start, "@media all") || hs_is(at + start, end - start, "@media screen")) {
        (*depth)++;
        return i + 1;
    }
    for (int open = 0; i < n; i++) {
        open += at[i] == '{' ? 1 : at[i] == '}' ? -1 : 0;
        if (open == 0) return i + 1;
    }
    return n;
}

/* All selectors of the list [at, at+n) get the style. */
static void hr_selectors(hr_table *t, const uint8_t *at, size_t n, const hs_style *style)
{
    size_t i = 0;
    while (i < n) {
        size_t end = i, next;
        while (end < n && at[end] != ',') end++;
        next = end + 1;
        while (i < end && hs_space(at[i])) i++;
        while (end > i && hs_space(at[end - 1])) end--;
        hr_add(t, at + i, end - i, style);
        i = next;
    }
}

/* The content of one <style> element. Linear: every byte is passed once, blocks once more for their declarations. */
static void hr_read(hr_table *t, const uint8_t *at, size_t n)
{
    size_t i = 0;
    int depth = 0;
    while ((i = hr_blank(at, i, n)) < n && t->n < HR_MAX) {
        if (at[i] == '@') { i = hr_at_rule(at, i, n, &depth); continue; }
        if (at[i] == '}') { i++; depth -= depth > 0; continue; }
        size_t start = i;
        while (i < n && at[i] != '{') i++;
        size_t head = i;
        if (i < n) i++;
        size_t body = i;
        while (i < n && at[i] != '}') i++;
        hs_style style;
        style.set = style.important = 0;
        hs_declarations(&style, at + body, i - body);
        if (style.set) hr_selectors(t, at + start, head - start, &style);
        if (i < n) i++;
    }
}

typedef struct { int16_t index[HR_MATCHES]; int n; } hr_found;

/* Rules of one name, in document order among those found; the list stays sorted by specificity, then order. */
static void hr_find(const hr_table *t, hr_found *found, uint32_t name, uint32_t tag, int kind)
{
    int16_t at = t->slots[hr_slot(name, kind)];
    for (int probe = 0; at >= 0 && probe < HR_PROBE; probe++, at = t->rules[at].next) {
        const hr_rule *rule = &t->rules[at];
        if (rule->name != name || rule->kind != kind || (rule->tag && rule->tag != tag)) continue;
        if (found->n >= HR_MATCHES) return;
        int place = found->n++;
        for (; place > 0; place--) {
            const hr_rule *before = &t->rules[found->index[place - 1]];
            int heavier = before->kind * 2 + (before->tag != 0) > rule->kind * 2 + (rule->tag != 0);
            int same = before->kind * 2 + (before->tag != 0) == rule->kind * 2 + (rule->tag != 0);
            if (!heavier && !(same && found->index[place - 1] > at)) break;
            found->index[place] = found->index[place - 1];
        }
        found->index[place] = at;
    }
}

/* What the rules say about an element with these class names (a list by spaces) and id. */
static void hr_match(const hr_table *t, hs_style *style, const uint8_t *tag, size_t n_tag, const uint8_t *classes,
                     size_t n_classes, const uint8_t *id, size_t n_id)
{
    hr_found found = { .n = 0 };
    uint32_t tag_hash = hr_hash(tag, n_tag, 1);
    hr_find(t, &found, tag_hash, tag_hash, 0);
    for (size_t i = 0, tokens = 0; i < n_classes && tokens < 16; tokens++) {
        while (i < n_classes && hs_space(classes[i])) i++;
        size_t start = i;
        while (i < n_classes && !hs_space(classes[i])) i++;
        if (i > start) hr_find(t, &found, hr_hash(classes + start, i - start, 0), tag_hash, 1);
    }
    if (n_id && n_id < 256) hr_find(t, &found, hr_hash(id, n_id, 0), tag_hash, 2);
    for (int i = 0; i < found.n; i++) hs_cascade(style, &t->rules[found.index[i]].style);
}
#endif
