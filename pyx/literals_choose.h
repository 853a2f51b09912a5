/* Which window of a pattern is looked for, and how the first step tells windows from other text (literals.h). Choices
   cost or save time; none changes what is found. */
#ifndef MXWARD_LITERALS_CHOOSE_H
#define MXWARD_LITERALS_CHOOSE_H

#include "literals_check.h"
#include "literals_rarity.h"

enum { LIT_OFFSETS = 24, LIT_COUNT_BITS = 22, LIT_FIRST_BITS = 21, LIT_ALIGN = 64, LIT_ROUNDS = 8 };

typedef struct {
    const uint8_t *data;
    uint32_t size;
    uint8_t flags;
} LitSource;

/* A window of a pattern that was chosen. */
typedef struct {
    uint32_t hash, number;
    uint16_t before;
} LitDraft;

typedef struct {
    LitPass pass;
    uint32_t n[LIT_MAX_CLASSES]; /* patterns */
    LitDraft *drafts[LIT_MAX_CLASSES];
} LitGroup;

typedef struct {
    LitGroup groups[LIT_MAX_PASSES]; /* windows of four bytes and more; then of three, two, one */
    uint32_t *crowd;                 /* patterns by hash of a window they chose */
    uint8_t *firsts;                 /* a bit for first four bytes of windows that were chosen */
    uint32_t *pool_at;               /* a pattern */
    uint64_t pool_size, size;        /* size: of the whole block */
} LitPlan;

/* -log2 of how often text holds the four bytes at `at`, after folding: 7 to 22. */
static unsigned lit_rarity(const uint8_t *at)
{
    const uint32_t i = lit_hash4(lit_load4(at), 4, LIT_HASH) >> (32 - LIT_RARITY_BITS);
    return 7 + (unsigned)(LIT_RARITY[i >> 4] >> (i & 15) * 4 & 15);
}

static uint64_t lit_peek(const uint8_t *at, size_t room)
{
    uint64_t value = 0;
    memcpy(&value, at, room < 8 ? room : 8);
    return value;
}

static uint32_t lit_window(const LitSource *source, uint32_t offset, unsigned q)
{
    return lit_hash8(lit_peek(source->data + offset, source->size - offset) | LIT_FOLD8, q);
}

/* A number for the first four bytes of a window, of LIT_FIRST_BITS bits. */
static uint32_t lit_first_key(const uint8_t *at)
{
    return lit_hash4(lit_load4(at), 4, LIT_HASH) >> (32 - LIT_FIRST_BITS);
}

/* Cycles that a window is expected to cost per million bytes: of the first step's survivors, then of candidates. */
static double lit_cost(const LitPlan *plan, const LitSource *source, uint32_t offset, unsigned q)
{
    const uint8_t *at = source->data + offset;
    const uint32_t others = plan->crowd[lit_window(source, offset, q) >> (32 - LIT_COUNT_BITS)];
    double first, whole;
    if (q < 4)
        return 1 + others;
    first = 1e6 / (1u << lit_rarity(at));
    whole = first;
    for (unsigned k = 1; k + 4 <= q; k++) { /* each byte more is a surprise; the rarest four are a bound */
        const double part = 1e6 / (1u << lit_rarity(at + k));
        whole = (part < whole ? part : whole) / 2;
    }
    if (plan->firsts[lit_first_key(at) >> 3] >> (lit_first_key(at) & 7) & 1)
        first /= 16; /* it is let through anyway */
    return first * 4 + (whole + 0.1) * (25 + 40 * (double)others);
}

/* Where the windows of a pattern begin: `stride` of them side by side, so that one falls on each alignment. */
static uint32_t lit_choose(const LitPlan *plan, const LitSource *source, unsigned q, unsigned stride)
{
    const uint32_t last = source->size - q - stride + 1;
    uint32_t best = 0;
    double least = 0;
    for (uint32_t offset = 0; offset <= last; offset++) {
        double cost = 0;
        if (offset == LIT_OFFSETS && last > 2 * LIT_OFFSETS)
            offset = last - LIT_OFFSETS; /* of a long pattern, the begin and the end are looked at */
        for (uint32_t k = 0; k < stride; k++)
            cost += lit_cost(plan, source, offset + k, q);
        if (offset == 0 || cost < least) {
            least = cost;
            best = offset;
        }
    }
    return best;
}

static uint32_t lit_group_of(uint32_t size)
{
    return size >= 4 ? 0 : 4 - size;
}

/* The class with the longest window that the pattern has room for. */
static uint32_t lit_class_of(const LitPass *pass, uint32_t size)
{
    uint32_t class = 0;
    while (class + 1 < pass->n_classes && pass->classes[class + 1].q + pass->stride - 1 <= size)
        class++;
    return class;
}

static uint32_t lit_first_hash(const LitPass *pass, const LitSource *source, const LitDraft *draft)
{
    const uint64_t bytes = lit_peek(source->data + draft->before, source->size - draft->before);
    return lit_hash4((uint32_t)bytes, pass->q, pass->factor);
}

/* Common text that a hash should not take for a window, folded: blanks, rules, markup, words. */
static const char LIT_COMMON[][5] = {
    "    ", "----", "====", "____", "****", "0000", "aaaa", "-*-*", "*   ", "-*  ", "*-*-", ">-*<", "the ",
    " the", " and", "and ", "ing ", "tion", "ion ", " you", "you ", "your", " for", "http", "ttp:", "tp:/", "p://",
    "://w", "//ww", "/www", "www.", ".com", "com/", "href", "ref=", "nbsp", "font", "<td>", "/td>", "</td", "/tr>",
    "<br>", "size", "face", "colo", "olor", "lign", "alig", "widt", "idth", "styl", "tyle", "span", "ffff", "=\"#f",
};
enum { LIT_FACTORS = 64 };

/* Fill the first step's bitmap with a factor, and count the common text that it holds. */
static uint32_t lit_fill_first(const LitGroup *group, const LitSource *sources, uint8_t *bitmap)
{
    const LitPass *pass = &group->pass;
    const uint32_t shift = 32 - pass->bitmap_bits;
    uint32_t n = 0;
    for (uint32_t c = 0; c < pass->n_classes; c++)
        for (uint32_t i = 0; i < pass->classes[c].n_entries; i++) {
            const LitDraft *draft = group->drafts[c] + i;
            const uint32_t bit = lit_first_hash(pass, sources + draft->number, draft) >> shift;
            bitmap[bit >> 3] |= (uint8_t)(1u << (bit & 7));
        }
    for (size_t i = 0; i < sizeof(LIT_COMMON) / sizeof(LIT_COMMON[0]); i++) {
        const uint32_t bit = lit_hash4(lit_load4((const uint8_t *)LIT_COMMON[i]), pass->q, pass->factor) >> shift;
        n += bitmap[bit >> 3] >> (bit & 7) & 1;
    }
    return n;
}

/* Choose the factor that takes the least of common text for windows; with many patterns all do. */
static void lit_choose_factor(LitGroup *group, const LitSource *sources, uint32_t n_drafts, uint8_t *bitmap)
{
    const uint32_t tries = n_drafts < 4096 ? LIT_FACTORS : 1;
    uint32_t best = 0, least = LIT_NONE;
    for (uint32_t i = 0; i <= tries; i++) { /* the last time with the best one */
        uint32_t n;
        group->pass.factor = LIT_HASH + 0x6A09E668u * (i < tries ? i : best);
        memset(bitmap, 0, (1ULL << group->pass.bitmap_bits) / 8);
        n = lit_fill_first(group, sources, bitmap);
        if (n < least) {
            least = n;
            best = i;
        }
    }
}

/* Eight groups of windows with neighbouring first bytes, so that each one's set for that byte is small. */
static void lit_fill_sets(LitGroup *group, const LitSource *sources, uint32_t n_drafts)
{
    LitPass *pass = &group->pass;
    uint32_t counts[64 * 64] = {0}, sum = 0;
    for (int counting = 1; counting >= 0; counting--) {
        for (uint32_t c = 0; c < pass->n_classes; c++)
            for (uint32_t i = 0; i < pass->classes[c].n_entries; i++) {
                const LitDraft *draft = group->drafts[c] + i;
                const uint8_t *at = sources[draft->number].data + draft->before; /* q bytes of the pattern at least */
                const uint32_t key = lit_class(at[0]) * 64 + (pass->q > 1 ? lit_class(at[1]) : 0);
                if (counting)
                    counts[key]++;
                else
                    for (uint32_t k = 0; k < pass->q; k++)
                        pass->sets[k][lit_class(at[k])] |= (uint8_t)(1u << counts[key]);
            }
        for (uint32_t key = 0; counting && key < 64 * 64; key++) { /* counts become groups of about as many windows */
            const uint32_t n = counts[key];
            counts[key] = (uint32_t)((uint64_t)sum * 8 / n_drafts);
            sum += n;
        }
    }
    memset(pass->sets[pass->q], 0xFF, (4 - pass->q) * sizeof(pass->sets[0]));
}

#endif
