/* filter_words.h: what is a filter in MLflow's language about? */
#ifndef MLF_BASE_FILTER_WORDS_H
#define MLF_BASE_FILTER_WORDS_H

/* Of these a set. */
typedef enum mlf_filter_topic {
  MLF_FILTER_SPANS = 1, /* the server takes a lower bound of time beside it for one of spans, too */
  MLF_FILTER_RUN = 2,   /* of several runs the server looks at the last alone */
  MLF_FILTER_TIME = 4,  /* when the trace began */
} mlf_filter_topic;

/* Which of these a filter has the words of, in any case and outside of values. It may say more than
** there is: a tag may have such a name. */
unsigned mlf_filter_topics(const char *filter);

#endif
