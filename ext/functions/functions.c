#include "functions/functions.h"

#include "functions/families.h"
#include "functions/help.h"

int mlf_functions_register(mlf_registry *registry) {
  static int (*const families[])(mlf_registry *) = {
      mlf_percentile_register,  mlf_latency_register,           mlf_time_register,
      mlf_rate_register,        mlf_picture_register,           mlf_message_register,
      mlf_strata_register,      mlf_stratified_sample_register, mlf_agreement_register,
      mlf_differences_register,
  };
  int rc = SQLITE_OK;
  for (size_t i = 0; rc == SQLITE_OK && i < sizeof(families) / sizeof(*families); i++)
    rc = families[i](registry);
  registry->help = mlf_functions_help;
  registry->help_count = mlf_functions_help_count;
  return rc;
}
