/* Dates of mail: the form that programs write, and where one stands in a Received field.
 *
 * Nothing is read beyond the size. Source: RFC 5322 3.3, 4.3; behaviour of SpamAssassin 4.0.1. */
#ifndef MXWARD_SA_DATE_H
#define MXWARD_SA_DATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct { size_t start, end; } sd_span;

static inline int sd_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static inline int sd_space(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }
static inline int sd_letter(uint8_t c) { return (uint8_t)((c | 32) - 'a') < 26; }

/* Number of the month of three letters in any case, 0 when they are none. */
static int sd_month(const uint8_t *s)
{
    static const char NAMES[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    const char name[3] = {(char)(s[0] | 32), (char)(s[1] | 32), (char)(s[2] | 32)};
    if (!sd_letter(s[0]) || !sd_letter(s[1]) || !sd_letter(s[2])) return 0;
    for (int i = 0; i < 12; i++) if (!memcmp(NAMES + 3 * i, name, 3)) return i + 1;
    return 0;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar, year >= 1970. */
static int64_t sd_days(int64_t year, int month, int day)
{
    int64_t before = (month < 3 ? year - 1 : year);  /* years that end with February, so that its length is last */
    int from_march = (month + 9) % 12;
    return 365 * before + before / 4 - before / 100 + before / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

/* Seconds since 1970. Month 1 to 12; no number is negative. Hours, minutes and seconds too large are the last ones, a day
 * that the month has not is the first of the next. */
static int64_t sd_seconds(int64_t year, int month, int day, int hour, int minute, int second)
{
    static const uint8_t LAST[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int last = LAST[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 || year % 400 == 0));
    if (day > last || day < 1) {
        day = 1;
        if (++month > 12) { month = 1; year++; }
    }
    if (year < 1970) year = 1970;
    if (year > 2037) year = 2037;
    if (hour > 23) hour = 23;
    if (minute > 59) minute = 59;
    if (second > 59) second = 59;
    return ((sd_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}

/* Two digits at s, -1 when they are none. */
static inline int sd_two(const uint8_t *s) { return sd_digit(s[0]) && sd_digit(s[1]) ? 10 * (s[0] - '0') + s[1] - '0' : -1; }

/* Whether the n bytes are a date in the usual form, and its seconds. */
static int sd_usual(const uint8_t *s, size_t n, int64_t *seconds)
{
    size_t p = 0;
    int day = 0;
    while (n && sd_space(s[n - 1])) n--;
    while (p < n && sd_space(s[p])) p++;
    if (n - p > 4 && sd_letter(s[p]) && sd_letter(s[p + 1]) && sd_letter(s[p + 2]) && s[p + 3] == ',') {
        p += 4;
        while (p < n && s[p] == ' ') p++;
    }
    if (p == n || !sd_digit(s[p])) return 0;
    day = s[p++] - '0';
    if (p < n && sd_digit(s[p])) day = 10 * day + s[p++] - '0';
    if (n - p < 24) return 0;  /* " Jun 2025 10:00:00 +0100" */
    const uint8_t *at = s + p;
    int month = sd_month(at + 1), century = sd_two(at + 5), year = sd_two(at + 7);
    int hour = sd_two(at + 10), minute = sd_two(at + 13), second = sd_two(at + 16);
    int hours = sd_two(at + 20), minutes = sd_two(at + 22);
    if (at[0] != ' ' || !month || at[4] != ' ' || at[9] != ' ' || at[12] != ':' || at[15] != ':' || at[18] != ' ') return 0;
    if ((at[19] != '+' && at[19] != '-') || (century | year | hour | minute | second | hours | minutes) < 0) return 0;
    p += 24;
    if (p < n) {  /* a comment of letters */
        size_t from = p + 2;
        if (n - p < 4 || s[p] != ' ' || s[p + 1] != '(' || s[n - 1] != ')') return 0;
        for (size_t i = from; i < n - 1; i++) if (!sd_letter(s[i])) return 0;
    }
    int64_t time = sd_seconds(100 * century + year, month, day, hour, minute, second);
    int64_t offset = 60 * (60 * (int64_t)hours + minutes);
    *seconds = at[19] == '-' ? time + offset : offset > time ? 0 : time - offset;
    return 1;
}

/* Digits at s[p], then the byte `mark`: the place behind it, 0 when they are not there. */
static inline size_t sd_number(const uint8_t *s, size_t n, size_t p, uint8_t mark)
{
    size_t from = p;
    while (p < n && sd_digit(s[p])) p++;
    return p > from && p < n && s[p] == mark ? p + 1 : 0;
}

/* The end of a day, a word of three characters, a year, a time and a zone at s[p], 0 when they are not there. */
static size_t sd_date_at(const uint8_t *s, size_t n, size_t p)
{
    if (!(p = sd_number(s, n, p, ' '))) return 0;
    if (n - p < 4 || sd_space(s[p]) || sd_space(s[p + 1]) || sd_space(s[p + 2]) || s[p + 3] != ' ') return 0;
    if (!(p = sd_number(s, n, p + 4, ' ')) || !(p = sd_number(s, n, p, ':')) || !(p = sd_number(s, n, p, ':'))) return 0;
    if (!(p = sd_number(s, n, p, ' ')) || p == n || sd_space(s[p])) return 0;
    while (p < n && !sd_space(s[p])) p++;
    return p;
}

/* The first date in a Received field: white space, a character or none, a date. */
static int sd_received(const uint8_t *s, size_t n, sd_span *found)
{
    for (size_t p = 0; p + 1 < n; p++) {
        size_t end = 0;
        if (!sd_space(s[p])) continue;
        if (p + 2 < n && s[p + 1] != '\n' && sd_digit(s[p + 2])) end = sd_date_at(s, n, p + 2);
        if (!end && sd_digit(s[p + 1])) end = sd_date_at(s, n, p + 1);
        if (end) { found->start = p; found->end = end; return 1; }
    }
    return 0;
}

/* Whether the bytes hold a word. */
static int sd_holds(const uint8_t *s, size_t n, const char *word)
{
    size_t size = strlen(word);
    const uint8_t *end = s + n;
    while (n >= size && (s = memchr(s, word[0], n - size + 1)) != NULL) {
        if (!memcmp(s, word, size)) return 1;
        n = (size_t)(end - ++s);
    }
    return 0;
}

/* Whether a date and the one of a Received field, both in the usual form, are less than `limit` seconds from each other
 * and not the same. Never of a field that the sender's own machine may have written, or a program that fetches mail. */
static int sd_near(const uint8_t *date, size_t n_date, const uint8_t *field, size_t n, int64_t limit)
{
    int64_t sent, received, shift;
    sd_span span;
    if (memchr(field, '\n', n) || !sd_usual(date, n_date, &sent) || !sd_received(field, n, &span)) return 0;
    if (!sd_usual(field + span.start, span.end - span.start, &received)) return 0;
    shift = sent - received;
    if (!shift || shift >= limit || shift <= -limit) return 0;
    return !sd_holds(field, n, "127.0.0.1") && !sd_holds(field, n, "from localhost") && !sd_holds(field, n, "invoked by uid")
        && !sd_holds(field, n, "(fetchmail-");
}

#endif
