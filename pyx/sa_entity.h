/* Character references as Perl's HTML::Parser reads them: the names of HTML 4, and numbers.
 *
 * Names of Latin-1 characters need no semicolon, and in text may be the beginning of a longer word. What is no
 * reference stays as it is. Source: HTML 4.01 section 24; behaviour of HTML::Parser 3.81. */
#ifndef MXWARD_SA_ENTITY_H
#define MXWARD_SA_ENTITY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct { const char *name; uint32_t code; } se_name;
/* sorted by name; the encoded character is never longer than '&', the name and what must follow it */
static const se_name SE_NAMES[] = {
    { "AElig", 198 }, { "Aacute", 193 }, { "Acirc", 194 }, { "Agrave", 192 }, { "Alpha", 913 }, { "Aring", 197 },
    { "Atilde", 195 }, { "Auml", 196 }, { "Beta", 914 }, { "Ccedil", 199 }, { "Chi", 935 }, { "Dagger", 8225 },
    { "Delta", 916 }, { "ETH", 208 }, { "Eacute", 201 }, { "Ecirc", 202 }, { "Egrave", 200 }, { "Epsilon", 917 },
    { "Eta", 919 }, { "Euml", 203 }, { "Gamma", 915 }, { "Iacute", 205 }, { "Icirc", 206 }, { "Igrave", 204 },
    { "Iota", 921 }, { "Iuml", 207 }, { "Kappa", 922 }, { "Lambda", 923 }, { "Mu", 924 }, { "Ntilde", 209 },
    { "Nu", 925 }, { "OElig", 338 }, { "Oacute", 211 }, { "Ocirc", 212 }, { "Ograve", 210 }, { "Omega", 937 },
    { "Omicron", 927 }, { "Oslash", 216 }, { "Otilde", 213 }, { "Ouml", 214 }, { "Phi", 934 }, { "Pi", 928 },
    { "Prime", 8243 }, { "Psi", 936 }, { "Rho", 929 }, { "Scaron", 352 }, { "Sigma", 931 }, { "THORN", 222 },
    { "Tau", 932 }, { "Theta", 920 }, { "Uacute", 218 }, { "Ucirc", 219 }, { "Ugrave", 217 }, { "Upsilon", 933 },
    { "Uuml", 220 }, { "Xi", 926 }, { "Yacute", 221 }, { "Yuml", 376 }, { "Zeta", 918 }, { "aacute", 225 },
    { "acirc", 226 }, { "acute", 180 }, { "aelig", 230 }, { "agrave", 224 }, { "alefsym", 8501 }, { "alpha", 945 },
    { "amp", 38 }, { "and", 8743 }, { "ang", 8736 }, { "apos", 39 }, { "aring", 229 }, { "asymp", 8776 },
    { "atilde", 227 }, { "auml", 228 }, { "bdquo", 8222 }, { "beta", 946 }, { "brvbar", 166 }, { "bull", 8226 },
    { "cap", 8745 }, { "ccedil", 231 }, { "cedil", 184 }, { "cent", 162 }, { "chi", 967 }, { "circ", 710 },
    { "clubs", 9827 }, { "cong", 8773 }, { "copy", 169 }, { "crarr", 8629 }, { "cup", 8746 }, { "curren", 164 },
    { "dArr", 8659 }, { "dagger", 8224 }, { "darr", 8595 }, { "deg", 176 }, { "delta", 948 }, { "diams", 9830 },
    { "divide", 247 }, { "eacute", 233 }, { "ecirc", 234 }, { "egrave", 232 }, { "empty", 8709 }, { "emsp", 8195 },
    { "ensp", 8194 }, { "epsilon", 949 }, { "equiv", 8801 }, { "eta", 951 }, { "eth", 240 }, { "euml", 235 },
    { "euro", 8364 }, { "exist", 8707 }, { "fnof", 402 }, { "forall", 8704 }, { "frac12", 189 }, { "frac14", 188 },
    { "frac34", 190 }, { "frasl", 8260 }, { "gamma", 947 }, { "ge", 8805 }, { "gt", 62 }, { "hArr", 8660 },
    { "harr", 8596 }, { "hearts", 9829 }, { "hellip", 8230 }, { "iacute", 237 }, { "icirc", 238 }, { "iexcl", 161 },
    { "igrave", 236 }, { "image", 8465 }, { "infin", 8734 }, { "int", 8747 }, { "iota", 953 }, { "iquest", 191 },
    { "isin", 8712 }, { "iuml", 239 }, { "kappa", 954 }, { "lArr", 8656 }, { "lambda", 955 }, { "lang", 9001 },
    { "laquo", 171 }, { "larr", 8592 }, { "lceil", 8968 }, { "ldquo", 8220 }, { "le", 8804 }, { "lfloor", 8970 },
    { "lowast", 8727 }, { "loz", 9674 }, { "lrm", 8206 }, { "lsaquo", 8249 }, { "lsquo", 8216 }, { "lt", 60 },
    { "macr", 175 }, { "mdash", 8212 }, { "micro", 181 }, { "middot", 183 }, { "minus", 8722 }, { "mu", 956 },
    { "nabla", 8711 }, { "nbsp", 160 }, { "ndash", 8211 }, { "ne", 8800 }, { "ni", 8715 }, { "not", 172 },
    { "notin", 8713 }, { "nsub", 8836 }, { "ntilde", 241 }, { "nu", 957 }, { "oacute", 243 }, { "ocirc", 244 },
    { "oelig", 339 }, { "ograve", 242 }, { "oline", 8254 }, { "omega", 969 }, { "omicron", 959 }, { "oplus", 8853 },
    { "or", 8744 }, { "ordf", 170 }, { "ordm", 186 }, { "oslash", 248 }, { "otilde", 245 }, { "otimes", 8855 },
    { "ouml", 246 }, { "para", 182 }, { "part", 8706 }, { "permil", 8240 }, { "perp", 8869 }, { "phi", 966 },
    { "pi", 960 }, { "piv", 982 }, { "plusmn", 177 }, { "pound", 163 }, { "prime", 8242 }, { "prod", 8719 },
    { "prop", 8733 }, { "psi", 968 }, { "quot", 34 }, { "rArr", 8658 }, { "radic", 8730 }, { "rang", 9002 },
    { "raquo", 187 }, { "rarr", 8594 }, { "rceil", 8969 }, { "rdquo", 8221 }, { "real", 8476 }, { "reg", 174 },
    { "rfloor", 8971 }, { "rho", 961 }, { "rlm", 8207 }, { "rsaquo", 8250 }, { "rsquo", 8217 }, { "sbquo", 8218 },
    { "scaron", 353 }, { "sdot", 8901 }, { "sect", 167 }, { "shy", 173 }, { "sigma", 963 }, { "sigmaf", 962 },
    { "sim", 8764 }, { "spades", 9824 }, { "sub", 8834 }, { "sube", 8838 }, { "sum", 8721 }, { "sup", 8835 },
    { "sup1", 185 }, { "sup2", 178 }, { "sup3", 179 }, { "supe", 8839 }, { "szlig", 223 }, { "tau", 964 },
    { "there4", 8756 }, { "theta", 952 }, { "thetasym", 977 }, { "thinsp", 8201 }, { "thorn", 254 }, { "tilde", 732 },
    { "times", 215 }, { "trade", 8482 }, { "uArr", 8657 }, { "uacute", 250 }, { "uarr", 8593 }, { "ucirc", 251 },
    { "ugrave", 249 }, { "uml", 168 }, { "upsih", 978 }, { "upsilon", 965 }, { "uuml", 252 }, { "weierp", 8472 },
    { "xi", 958 }, { "yacute", 253 }, { "yen", 165 }, { "yuml", 255 }, { "zeta", 950 }, { "zwj", 8205 },
    { "zwnj", 8204 },
};
#define SE_N (sizeof(SE_NAMES) / sizeof(SE_NAMES[0]))
#define SE_LONGEST 8  /* characters of a name */

static inline int se_alnum(uint8_t c)
{
    uint8_t lower = c | 32;
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Code of a name of n letters, 0 when it is none. */
static uint32_t se_find(const uint8_t *name, size_t n)
{
    size_t low = 0, high = SE_N;
    if (n == 0 || n > SE_LONGEST) return 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp((const char *)name, SE_NAMES[middle].name, n);
        if (order == 0 && SE_NAMES[middle].name[n]) order = -1;  /* a proper beginning comes first */
        if (order == 0) return SE_NAMES[middle].code;
        if (order < 0) high = middle; else low = middle + 1;
    }
    return 0;
}

static inline int se_is_bare(uint32_t code) { return code < 256; }

/* Writes a character as UTF-8 (at most 4 bytes) and returns its size. */
static inline size_t se_put(uint32_t code, uint8_t *out)
{
    if (code < 0x80) { out[0] = (uint8_t)code; return 1; }
    if (code < 0x800) { out[0] = (uint8_t)(0xC0 | code >> 6); out[1] = (uint8_t)(0x80 | (code & 63)); return 2; }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xE0 | code >> 12); out[1] = (uint8_t)(0x80 | (code >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | code >> 18); out[1] = (uint8_t)(0x80 | (code >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 63)); out[3] = (uint8_t)(0x80 | (code & 63));
    return 4;
}

/* The number of a reference at s[0] == '#': its code and size, or size 0. */
static size_t se_number(const uint8_t *s, size_t n, uint32_t *code)
{
    size_t p = 1;
    uint32_t value = 0;
    int hex = n > 1 && (s[1] | 32) == 'x', any = 0;
    if (hex) p = 2;
    for (; p < n; p++) {
        uint8_t c = s[p];
        uint32_t digit;
        if (c >= '0' && c <= '9') digit = c - '0';
        else if (hex && (c | 32) >= 'a' && (c | 32) <= 'f') digit = (uint32_t)(c | 32) - 'a' + 10;
        else break;
        value = value * (hex ? 16 : 10) + digit;
        if (value > 0x10FFFF) return 0;
        any = 1;
    }
    if (!any || value == 0 || value == 0xFFFE || value == 0xFFFF) return 0;
    if ((value >= 0xFDD0 && value <= 0xFDEF) || (value & 0xFFFE) == 0xFFFE) value = 0xFFFD;
    *code = value;
    return p;
}

/* The name at s, in text also as a beginning of what stands there: its code and size, or size 0. */
static size_t se_named(const uint8_t *s, size_t n, int is_text, uint32_t *code)
{
    size_t end = 0;
    while (end < n && se_alnum(s[end])) end++;
    uint32_t found = se_find(s, end);
    if (found && (se_is_bare(found) || (end < n && s[end] == ';'))) { *code = found; return end; }
    if (!is_text) return 0;
    for (size_t part = end < SE_LONGEST + 1 ? (end ? end - 1 : 0) : SE_LONGEST; part > 0; part--) {
        found = se_find(s, part);
        if (found && se_is_bare(found)) { *code = found; return part; }
    }
    return 0;
}

/* Decodes n bytes of UTF-8 into out (room for n), returns the size. *widest grows to the largest code decoded. */
static size_t se_decode(const uint8_t *s, size_t n, int is_text, uint8_t *out, uint32_t *widest)
{
    size_t p = 0, q = 0;
    uint32_t high = 0;  /* first half of a pair of surrogates, whose replacement stands at out[q - 3] */
    while (p < n) {
        const uint8_t *mark = memchr(s + p, '&', n - p);
        size_t plain = mark ? (size_t)(mark - s) - p : n - p;
        if (plain) { memmove(out + q, s + p, plain); q += plain; p += plain; high = 0; }
        if (p >= n) break;
        uint32_t code = 0;
        size_t used = p + 1 < n && s[p + 1] == '#' ? se_number(s + p + 1, n - p - 1, &code)
                                                  : se_named(s + p + 1, n - p - 1, is_text, &code);
        if (used == 0) { out[q++] = s[p++]; high = 0; continue; }
        p += used + 1;
        if (p < n && s[p] == ';') p++;
        if ((code & 0xFFFFFC00) == 0xDC00) {
            if (high) { q -= 3; code = ((high - 0xD800) << 10) + (code - 0xDC00) + 0x10000; }
            else code = 0xFFFD;
            high = 0;
        } else if ((code & 0xFFFFFC00) == 0xD800) {
            high = code;
            code = 0xFFFD;
        } else {
            high = 0;
        }
        if (code > *widest) *widest = code;
        q += se_put(code, out + q);
    }
    return q;
}

#endif
