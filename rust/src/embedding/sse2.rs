//! Sixteen digits at once on x86-64, whose vector instructions Rust takes for unsafe.
//!
//! It reads long components a fifth faster than two words do (2.9 against 2.4 GB/s of JSON).

#![allow(unsafe_code)]
#![allow(clippy::cast_ptr_alignment, reason = "the load asks for no alignment")]

use std::arch::x86_64::{
    __m128i, _mm_add_epi16, _mm_and_si128, _mm_cmpeq_epi8, _mm_cvtsi128_si64, _mm_loadu_si128,
    _mm_madd_epi16, _mm_movemask_epi8, _mm_mullo_epi16, _mm_packs_epi32, _mm_set1_epi8, _mm_set1_epi16,
    _mm_set1_epi32, _mm_setzero_si128, _mm_srli_epi16, _mm_sub_epi8, _mm_subs_epu8,
};

/// The number that sixteen digits spell, `None` if they are not all digits.
#[inline(always)]
pub fn sixteen(text: &[u8; 16]) -> Option<u64> {
    // SAFETY: all of these need SSE2, which is part of x86-64 itself. The one that reads memory reads the 16
    // bytes of `text` and asks for no alignment.
    unsafe {
        let values = _mm_sub_epi8(_mm_loadu_si128(text.as_ptr().cast::<__m128i>()), _mm_set1_epi8(0x30));
        let excess = _mm_subs_epu8(values, _mm_set1_epi8(9));
        if _mm_movemask_epi8(_mm_cmpeq_epi8(excess, _mm_setzero_si128())) != 0xFFFF {
            return None;
        }
        // Neighbours are joined three times: the first of each two, in the lower half, is multiplied by 10, by
        // 100 (0x64) and by 10,000 (0x2710), the second by 1.
        let tens = _mm_mullo_epi16(_mm_and_si128(values, _mm_set1_epi16(0xFF)), _mm_set1_epi16(10));
        let twos = _mm_add_epi16(tens, _mm_srli_epi16(values, 8));
        let fours = _mm_madd_epi16(twos, _mm_set1_epi32(0x0001_0064));
        let fours = _mm_packs_epi32(fours, fours);
        let eights = _mm_madd_epi16(fours, _mm_set1_epi32(0x0001_2710));
        let both = _mm_cvtsi128_si64(eights).cast_unsigned();
        Some((both & 0xFFFF_FFFF) * 100_000_000 + (both >> 32))
    }
}
