/* Whether a message can have what eval tests of header fields look for at all: bytes without which none of them matches.
 *
 * Nothing is read beyond the sizes. */
#ifndef MXWARD_SA_HINT_H
#define MXWARD_SA_HINT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct { const uint8_t *s; size_t n; } sn_text;

static inline uint8_t sn_lower(uint8_t c) { return (uint8_t)(c - 'A') < 26 ? c | 32 : c; }

/* Whether a text holds another one; `is_folded`: letters of ASCII in any case, the other one being in lower case. */
static int sn_holds(sn_text text, sn_text word, int is_folded)
{
    if (!word.n) return 1;
    size_t last = word.n - 1;
    int is_letter = (uint8_t)(word.s[last] - 'a') < 26;
    for (size_t at = last; at < text.n; at++) {  /* where the word would end */
        size_t i = 0;
        if (!is_folded || !is_letter) {
            const uint8_t *mark = memchr(text.s + at, word.s[last], text.n - at);
            if (!mark) return 0;
            at = (size_t)(mark - text.s);
        }
        const uint8_t *from = text.s + at - last;  /* at >= last */
        while (i < word.n && (is_folded ? sn_lower(from[i]) : from[i]) == word.s[i]) i++;
        if (i == word.n) return 1;
    }
    return 0;
}

/* Whether a placeholder such as %TO_NAME begins somewhere. */
static int sn_template(sn_text text)
{
    for (size_t at = 0; at + 2 < text.n; at++) {
        const uint8_t *mark = memchr(text.s + at, '%', text.n - at - 2);
        if (!mark) return 0;
        at = (size_t)(mark - text.s);
        if ((uint8_t)(mark[1] - 'A') < 26 && ((uint8_t)(mark[2] - 'A') < 26 || mark[2] == '_' || mark[2] == '-')) return 1;
    }
    return 0;
}

/* Whether there is a capital, and no small letter behind the last colon. */
static int sn_capitals(sn_text text)
{
    int has_capital = 0, is_small = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.s[i];
        if (c == ':') is_small = 0;
        else if ((uint8_t)(c - 'a') < 26) is_small = 1;
        else if ((uint8_t)(c - 'A') < 26) has_capital = 1;
    }
    return has_capital && !is_small;
}

/* The bytes before the first "@", all when there is none. */
static sn_text sn_user(sn_text address)
{
    const uint8_t *sign = address.n ? memchr(address.s, '@', address.n) : NULL;
    if (sign) address.n = (size_t)(sign - address.s);
    return address;
}

/* Whether the user of the recipient stands before a sign of the sender's address. */
static int sn_user_in_sender(sn_text recipient, sn_text sender)
{
    sn_text word = sn_user(recipient);
    if (!word.n || word.n == recipient.n) return 0;
    word.n++;  /* with the sign */
    return sn_holds(sender, word, 0);
}

static inline sn_text sn_of(const char *word)
{
    sn_text text = {(const uint8_t *)word, strlen(word)};
    return text;
}

#endif
