#include "analysis/mask.h"

#include <stdbool.h>
#include <string.h>

#include "base/sqlite_api.h"

#define MASK_ID_BYTES_MIN 8

/* A search for where a quote closes. It holds for each quote of the kind up to there, so that no
** byte is searched twice. */
typedef struct mask_search {
  size_t end;       /* where it closes; the length of the text if it does not; 0 before the first */
  size_t last_word; /* the last byte of a word before the end */
} mask_search;

typedef struct mask_message {
  const char *text;
  size_t length;
  size_t at;               /* what is before it is done */
  size_t host_ends;        /* where the host of an address ends, or 0 */
  size_t name_ends;        /* where what may be the name of an exception ends */
  size_t kept;             /* where a quote closes whose contents are kept, or 0 */
  mask_search searches[3]; /* for each kind of quote, the last one */
} mask_message;

static bool mask_is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

static bool mask_is_hex(char byte) {
  return mask_is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

/* Bytes of UTF-8 beyond ASCII are letters. */
static bool mask_is_letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte & 0x80);
}

static bool mask_is_word(char byte) {
  return mask_is_digit(byte) || mask_is_letter(byte);
}

/* The byte at a place, NUL where there is none. */
static char mask_byte(const mask_message *message, size_t place) {
  return place < message->length ? message->text[place] : '\0';
}

static char mask_byte_before(const mask_message *message, size_t place) {
  return place > 0 ? message->text[place - 1] : '\0';
}

/* Whether nothing but the name of an exception comes before the place, as in KeyError: 'id'. */
static bool mask_begins_at(const mask_message *message, size_t place) {
  if (place == 0) return true;
  if (place < 3 || memcmp(message->text + place - 2, ": ", 2) != 0) return false;
  return place - 2 <= message->name_ends;
}

/* Whether the quote at the place is what a member of an error's JSON, or Python's text of it, says
** of what happened: 'message': '…'. */
static bool mask_tells(const mask_message *message, size_t place) {
  static const char *const names[] = {"message", "code", "type"};
  while (place > 0 && message->text[place - 1] == ' ')
    place--;
  if (place < 2 || message->text[place - 1] != ':') return false;
  char kind = message->text[place - 2];
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    size_t length = strlen(names[i]);
    if (place < length + 3 || memcmp(message->text + place - 2 - length, names[i], length) != 0)
      continue;
    return (kind == '\'' || kind == '"') && message->text[place - 3 - length] == kind;
  }
  return false;
}

/* Finds where the quote at message->at closes, which the last search may have found. */
static const mask_search *mask_close(const mask_message *message, mask_search *search) {
  char kind = message->text[message->at];
  if (search->end > message->at) return search;
  for (search->end = message->at + 1; search->end < message->length; search->end++) {
    if (mask_is_word(message->text[search->end])) search->last_word = search->end;
    if (message->text[search->end] == kind && !mask_is_word(mask_byte(message, search->end + 1)))
      break;
  }
  return search;
}

/* Each of these looks for one kind of thing at message->at: its length, 0 if it is not there. */

static size_t mask_quoted(mask_message *message) {
  static const char kinds[] = "'\"`";
  size_t begin = message->at;
  const char *kind = strchr(kinds, mask_byte(message, begin));
  if (!kind || !*kind || mask_is_word(mask_byte_before(message, begin))) return 0;
  if (begin > 0 && begin == message->kept) return 0;
  const mask_search *found = mask_close(message, &message->searches[kind - kinds]);
  if (found->end >= message->length) return 0;
  bool is_all = found->end + 1 == message->length && mask_begins_at(message, begin);
  if (is_all || mask_tells(message, begin)) {
    message->kept = found->end;
    return 0;
  }
  return found->last_word > begin ? found->end + 1 - begin : 0;
}

static size_t mask_path(const mask_message *message) {
  size_t begin = message->at, end = begin;
  char before = mask_byte_before(message, begin);
  bool in_word = mask_is_word(before) || (before && strchr("_-./\\~", before));
  bool behind_host = begin > 0 && begin == message->host_ends;
  if (begin < message->host_ends || (in_word && !behind_host)) return 0;
  if (mask_is_letter(mask_byte(message, begin)) && mask_byte(message, begin + 1) == ':' &&
      mask_byte(message, begin + 2) == '\\') {
    end += 2;
  } else {
    while (end < begin + 2 && mask_byte(message, end) == '.')
      end++;
    if (end == begin && mask_byte(message, end) == '~') end++;
    if (mask_byte(message, end) != '/') return 0;
  }
  size_t root = end + 1;
  while (mask_is_word(mask_byte(message, end)) ||
         (mask_byte(message, end) && strchr("/\\._-+~@%=:,;?&#", message->text[end])))
    end++;
  while (end > root && strchr(".,:;?", message->text[end - 1]))
    end--;
  return end > root || behind_host ? end - begin : 0;
}

static size_t mask_uuid(const mask_message *message) {
  static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  for (size_t i = 0; i < sizeof(shape) - 1; i++) {
    char byte = mask_byte(message, message->at + i);
    if (shape[i] == '-' ? byte != '-' : !mask_is_hex(byte)) return 0;
  }
  return mask_is_word(mask_byte(message, message->at + sizeof(shape) - 1)) ? 0 : sizeof(shape) - 1;
}

/* Letters and digits that look drawn at random; message->at is where the word begins. */
static size_t mask_id(const mask_message *message) {
  size_t begin = message->at, end = begin, digits = 0, turns = 0;
  bool all_hex = true;
  for (; mask_is_word(mask_byte(message, end)); end++) {
    char byte = message->text[end];
    digits += mask_is_digit(byte);
    turns += end > begin && mask_is_digit(byte) != mask_is_digit(message->text[end - 1]);
    all_hex = all_hex && mask_is_hex(byte);
  }
  size_t length = end - begin;
  if (length > 2 && message->text[begin] == '0' && message->text[begin + 1] == 'x') return length;
  if (length < MASK_ID_BYTES_MIN || digits == 0 || digits == length) return 0;
  bool is_named_number = turns == 1 && mask_is_digit(message->text[end - 1]);
  return all_hex || (digits > 1 && !is_named_number) ? length : 0;
}

static size_t mask_number(const mask_message *message) {
  size_t end = message->at;
  bool is_time = false;
  while (mask_is_digit(mask_byte(message, end))) {
    while (mask_is_digit(mask_byte(message, end)))
      end++;
    char joint = mask_byte(message, end);
    if (joint && strchr(".,:-/T", joint) && end != message->host_ends &&
        mask_is_digit(mask_byte(message, end + 1))) {
      is_time = is_time || joint == 'T';
      end++;
    }
  }
  if (is_time && mask_byte(message, end) == 'Z') end++;
  return end - message->at;
}

/* Where the host of an address ends that begins behind "://". */
static void mask_note_host(mask_message *message) {
  if (message->length - message->at < 3 || memcmp(message->text + message->at, "://", 3) != 0)
    return;
  size_t end = message->at + 3;
  while (mask_is_word(mask_byte(message, end)) ||
         (mask_byte(message, end) && strchr(".-_:@[]", message->text[end])))
    end++;
  message->host_ends = end > message->at + 3 ? end : 0;
}

int mlf_mask_message(mlf_buffer *out, const char *text, size_t length) {
  mask_message message = {.text = text, .length = length};
  while (message.name_ends < length &&
         (mask_is_word(text[message.name_ends]) || strchr("._", text[message.name_ends])))
    message.name_ends++;
  size_t copied = 0;
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK && message.at < length) {
    char quoted[] = "'…'", byte = text[message.at];
    const char *mask = quoted;
    bool begins_word = mask_is_word(byte) && !mask_is_word(mask_byte_before(&message, message.at));
    size_t taken = mask_quoted(&message);
    if (taken) {
      quoted[0] = quoted[sizeof(quoted) - 2] = byte;
    } else if ((taken = mask_path(&message)) != 0) {
      mask = "<path>";
    } else if (begins_word &&
               ((taken = mask_uuid(&message)) != 0 || (taken = mask_id(&message)) != 0)) {
      mask = "<id>";
    } else if ((taken = mask_number(&message)) != 0) {
      mask = "<n>";
    } else {
      mask_note_host(&message);
      message.at++;
      continue;
    }
    rc = mlf_buffer_append(out, text + copied, message.at - copied);
    if (rc == SQLITE_OK) rc = mlf_buffer_append(out, mask, strlen(mask));
    copied = message.at += taken;
  }
  return rc == SQLITE_OK ? mlf_buffer_append(out, text + copied, length - copied) : rc;
}
