/* mask.h: which messages are the same but for the things that they name?
**
** Two messages of the same error differ in what they are about: the number of an order, the id of a
** request, a file. Once these are masked the messages are equal, and can be grouped:
**
**   POST https://orders.internal/v2/orders/4711 timed out after 30.0 s
**   POST https://orders.internal<path> timed out after <n> s
**
**   '…'      stands for what is between two quotes of the same kind, if a letter or digit is there;
**            "…" and `…` likewise. No letter or digit may stand before the first quote, and none
**            behind the second one, so the apostrophe of "model's" is no quote. If the message has
**            nothing else, or only the name of an exception before it (KeyError: 'order_id'), the
**            text between the quotes stays, and is masked like the rest: without it the message
**            would say nothing.
**   <path>   from /, ./, ../, ~/ or a drive such as C:\ on, not within a word; of an address what
**            comes after the host.
**   <id>     a UUID; 0x and hexadecimal digits; eight or more hexadecimal digits, letters among
**            them; eight or more letters and digits mixed, but not some letters and then a number.
**   <n>      digits, with . , : - / and T between them: 1,024, 30.5, 10.0.0.1:80,
**            2026-11-23T12:00Z.
**
** Everything else stays, byte for byte. The rules do not know words: "abcdefghij1k2" becomes an id.
*/
#ifndef MLF_ANALYSIS_MASK_H
#define MLF_ANALYSIS_MASK_H

#include <stddef.h>

#include "base/buffer.h"

/* Appends the masked message. It takes one pass; time and length grow in proportion to `length`.
** SQLITE_OK or the buffer's error. */
int mlf_mask_message(mlf_buffer *out, const char *text, size_t length);

#endif
