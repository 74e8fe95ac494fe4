/* mask.h: which messages say the same of different things?
**
** Two messages of one error differ in what they are about: an order's number, a request's id, a
** file. With these masked the two are equal, so messages can be grouped:
**
**   POST https://orders.internal/v2/orders/4711 timed out after 30.0 s
**   POST https://orders.internal<path> timed out after <n> s
**
**   '…'      between quotes, of one kind, that hold a letter or digit; "…" and `…` likewise. It
**            opens where no letter or digit is before it, and closes where none is behind it, so
**            the apostrophe of "model's" is none. A message that is nothing else, or nothing but
**            the name of an exception before it (KeyError: 'order_id'), keeps what is between the
**            quotes, masked as all else is: it would say nothing without.
**   <path>   from /, ./, ../, ~/ or a drive such as C:\ on, not within a word; of an address what
**            comes after the host.
**   <id>     a UUID; 0x and hexadecimal digits; eight or more hexadecimal digits, letters among
**            them; eight or more letters and digits mixed, but not some letters and then a number.
**   <n>      digits, with . , : - / and T between them: 1,024, 30.5, 10.0.0.1:80,
**            2026-11-23T12:00Z.
**
** All else stays, byte for byte. It cannot tell what is a word to people: "abcdefghij1k2" is an id.
*/
#ifndef MLF_ANALYSIS_MASK_H
#define MLF_ANALYSIS_MASK_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends the message with all that masked; one pass, time and length linear in `length`. SQLITE_OK
** or the buffer's error. */
int mlf_mask_message(mlf_buffer *out, const char *text, size_t length);

#endif
