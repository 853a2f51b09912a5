/* Is a block a compiled set of literals (literals.h)? After this, a scan with it stays inside of it and of the text,
   and ends, whatever else the block says. */
#ifndef MXWARD_LITERALS_CHECK_H
#define MXWARD_LITERALS_CHECK_H

#include "literals.h"

/* A checksum against damage, not against malice: eight bytes a step, two of them side by side. */
static uint64_t lit_sum(const uint8_t *at, size_t size)
{
    uint64_t a = 0x243F6A8885A308D3ULL, b = 0x13198A2E03707344ULL;
    for (size_t i = 0; i + 16 <= size; i += 16) {
        a = (a ^ lit_load8(at + i)) * 0x9E3779B97F4A7C15ULL;
        b = (b ^ lit_load8(at + i + 8)) * 0xC2B2AE3D27D4EB4FULL;
        a ^= a >> 29;
        b ^= b >> 31;
    }
    for (size_t i = size & ~(size_t)15; i < size; i++)
        a = (a ^ at[i]) * 0x9E3779B97F4A7C15ULL;
    return a ^ (b << 1) ^ (b >> 63);
}

/* Is [at, at + size) inside a block of `total` bytes, and `at` aligned? */
static int lit_is_inside(uint64_t at, uint64_t size, uint64_t total)
{
    return at % 8 == 0 && at <= total && size <= total - at;
}

static int lit_is_valid_entry(const LitHead *head, const LitEntry *entry)
{
    if (entry->number >= head->n || entry->size == 0 || entry->before >= entry->size)
        return 0;
    if (entry->back > 7 || entry->back > entry->before || (entry->is_whole && entry->size > 8))
        return 0;
    return entry->at <= head->pool_size && entry->size <= head->pool_size - entry->at;
}

/* Parents in a crowded slot come before their children, so that each chain ends. */
static int lit_is_valid_slot(const LitEntry *entries, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; end - first > LIT_CROWD && i < end; i++)
        if (entries[i].mask != LIT_NONE && (entries[i].mask < first || entries[i].mask >= i))
            return 0;
    return 1;
}

static int lit_is_valid_class(const LitHead *head, const LitClass *class)
{
    const uint8_t *base = (const uint8_t *)head;
    const uint32_t *slots;
    const LitEntry *entries;
    if (class->q < 1 || class->q > 8 || class->bitmap_bits < 3 || class->bitmap_bits > 28 || class->slot_bits < 1 ||
        class->slot_bits > 28)
        return 0;
    if (!lit_is_inside(class->bitmap, (1ULL << class->bitmap_bits) / 8, head->size) ||
        !lit_is_inside(class->slots, ((1ULL << class->slot_bits) + 1) * 4, head->size) ||
        !lit_is_inside(class->entries, (uint64_t)class->n_entries * sizeof(LitEntry), head->size))
        return 0;
    slots = (const uint32_t *)(base + class->slots);
    entries = (const LitEntry *)(base + class->entries);
    for (uint32_t i = 0; i < class->n_entries; i++)
        if (!lit_is_valid_entry(head, entries + i))
            return 0;
    for (uint32_t i = 0; i < 1u << class->slot_bits; i++)
        if (slots[i] > slots[i + 1] || slots[i + 1] > class->n_entries ||
            !lit_is_valid_slot(entries, slots[i], slots[i + 1]))
            return 0;
    return 1;
}

static int lit_is_valid_pass(const LitHead *head, const LitPass *pass)
{
    if (pass->q < 1 || pass->q > 4 || pass->stride < 1 || pass->stride > 2 || pass->bitmap_bits < 3 ||
        pass->bitmap_bits > 28 || pass->n_classes < 1 || pass->n_classes > LIT_MAX_CLASSES)
        return 0;
    if (!lit_is_inside(pass->bitmap, (1ULL << pass->bitmap_bits) / 8, head->size))
        return 0;
    for (uint32_t c = 0; c < pass->n_classes; c++)
        if (!lit_is_valid_class(head, pass->classes + c))
            return 0;
    return 1;
}

/* May this block, aligned to eight bytes, be scanned with? */
static int lit_is_valid(const uint8_t *block, size_t size)
{
    const LitHead *head = (const LitHead *)block;
    if (size < sizeof(LitHead) || head->magic != LIT_MAGIC || head->size != size || head->n_passes > LIT_MAX_PASSES)
        return 0;
    if (!lit_is_inside(head->pool, head->pool_size, size) || head->sum != lit_sum(block + 24, size - 24))
        return 0;
    for (uint32_t i = 0; i < head->n_passes; i++)
        if (!lit_is_valid_pass(head, head->passes + i))
            return 0;
    return 1;
}

#endif
