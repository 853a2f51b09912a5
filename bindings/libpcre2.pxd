"""What is used of PCRE2 (libpcre2-8) and of the clock."""

from libc.stdint cimport uint8_t, uint32_t

cdef extern from "time.h" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int CLOCK_MONOTONIC
    int clock_gettime(int clock, timespec* at)

cdef extern from *:
    """
    #define PCRE2_CODE_UNIT_WIDTH 8
    #include <pcre2.h>
    """
    ctypedef struct pcre2_code
    ctypedef struct pcre2_match_data
    ctypedef struct pcre2_match_context
    ctypedef struct pcre2_compile_context
    ctypedef struct pcre2_general_context
    uint32_t PCRE2_CASELESS, PCRE2_MULTILINE, PCRE2_DOTALL, PCRE2_EXTENDED, PCRE2_NEVER_UTF, PCRE2_NEVER_BACKSLASH_C
    uint32_t PCRE2_USE_OFFSET_LIMIT
    uint32_t PCRE2_JIT_COMPLETE, PCRE2_NO_JIT, PCRE2_CONFIG_VERSION
    int PCRE2_ERROR_NOMATCH, PCRE2_ERROR_JIT_STACKLIMIT
    pcre2_compile_context* pcre2_compile_context_create(pcre2_general_context*) nogil
    void pcre2_compile_context_free(pcre2_compile_context*) nogil
    int pcre2_set_max_pattern_length(pcre2_compile_context*, size_t) nogil
    int pcre2_set_parens_nest_limit(pcre2_compile_context*, uint32_t) nogil
    pcre2_code* pcre2_compile(
        const uint8_t*, size_t, uint32_t, int*, size_t*, pcre2_compile_context*) nogil
    void pcre2_code_free(pcre2_code*) nogil
    int pcre2_jit_compile(pcre2_code*, uint32_t) nogil
    pcre2_match_data* pcre2_match_data_create(uint32_t, pcre2_general_context*) nogil
    void pcre2_match_data_free(pcre2_match_data*) nogil
    size_t* pcre2_get_ovector_pointer(pcre2_match_data*) nogil
    pcre2_match_context* pcre2_match_context_create(pcre2_general_context*) nogil
    void pcre2_match_context_free(pcre2_match_context*) nogil
    int pcre2_set_match_limit(pcre2_match_context*, uint32_t) nogil
    int pcre2_set_depth_limit(pcre2_match_context*, uint32_t) nogil
    int pcre2_set_offset_limit(pcre2_match_context*, size_t) nogil
    int pcre2_set_heap_limit(pcre2_match_context*, uint32_t) nogil
    int pcre2_match(
        const pcre2_code*, const uint8_t*, size_t, size_t, uint32_t, pcre2_match_data*, pcre2_match_context*) nogil
    int pcre2_jit_match(
        const pcre2_code*, const uint8_t*, size_t, size_t, uint32_t, pcre2_match_data*, pcre2_match_context*) nogil
    uint32_t PCRE2_INFO_ALLOPTIONS, PCRE2_INFO_FIRSTBITMAP, PCRE2_INFO_FIRSTCODETYPE, PCRE2_INFO_FIRSTCODEUNIT
    uint32_t PCRE2_INFO_JITSIZE
    uint32_t PCRE2_ANCHORED
    int pcre2_pattern_info(const pcre2_code*, uint32_t, void*) nogil
    int pcre2_get_error_message(int, uint8_t*, size_t) nogil
    int pcre2_config(uint32_t, void*) nogil
