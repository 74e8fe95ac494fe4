/* progress.h: what a person sees on the terminal while a statement waits for the server.
**
**   mlflow: 12,500 traces in 27 requests, about 7,500 to go
**
** It is one line that is written over again and again, and is taken away before the statement goes
** on, so that no row or message meets it. Nothing is written unless it is asked for and there is a
** terminal.
*/
#ifndef MLF_REMOTE_PROGRESS_H
#define MLF_REMOTE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/settings.h"

/* How far a statement has come. */
typedef struct mlf_progress_count {
  int64_t traces; /* that the server has sent */
  int64_t requests;
  int64_t traces_left; /* about; 0 if nobody knows */
} mlf_progress_count;

/* All zero: nothing is shown, and the terminal was not looked for yet. */
typedef struct mlf_progress {
  bool looked;
  int fd; /* of the terminal; -1 if there is none */
  char *shown;
} mlf_progress;

/* "12,500 traces in 27 requests, about 7,500 to go". The caller frees it; NULL without memory. */
char *mlf_progress_words(const mlf_progress_count *count);

/* Shows the line where the setting says: on standard error if that is a terminal, or on the
** terminal that controls the process. */
void mlf_progress_show(mlf_progress *progress, mlf_setting_progress where,
                       const mlf_progress_count *count);

/* Takes the line away. */
void mlf_progress_hide(mlf_progress *progress);

void mlf_progress_clear(mlf_progress *progress);

#endif
