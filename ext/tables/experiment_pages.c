#include "tables/experiment_pages.h"

#include "base/array.h"
#include "base/limits.h"
#include "base/sqlite_api.h"

/* The same page, held once more. */
static mlf_experiments experiment_pages_hold(const mlf_experiments *page) {
  mlf_experiments held = *page;
  held.json = mlf_json_hold(page->json);
  return held;
}

bool mlf_experiment_pages_get(const mlf_experiment_pages *kept, size_t place,
                              mlf_experiments *page) {
  if (place >= kept->count) return false;
  *page = experiment_pages_hold(&kept->pages[place]);
  return true;
}

int mlf_experiment_pages_put(mlf_experiment_pages *kept, size_t place,
                             const mlf_experiments *page) {
  size_t length;
  mlf_json_raw(page->json, mlf_json_root(page->json), &length);
  if (place != kept->count || kept->bytes + length > MLF_EXPERIMENTS_BYTES_MAX) return SQLITE_OK;
  mlf_experiments *pages =
      mlf_array_room(kept->pages, kept->count, &kept->capacity, 4, sizeof(*pages));
  if (!pages) return SQLITE_NOMEM;
  kept->pages = pages;
  kept->pages[kept->count++] = experiment_pages_hold(page);
  kept->bytes += length;
  return SQLITE_OK;
}

void mlf_experiment_pages_clear(mlf_experiment_pages *kept) {
  for (size_t i = 0; i < kept->count; i++)
    mlf_experiments_clear(&kept->pages[i]);
  sqlite3_free(kept->pages);
  *kept = (mlf_experiment_pages){0};
}
