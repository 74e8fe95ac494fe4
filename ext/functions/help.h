/* help.h: what mlflow_help says of the analysis functions. */
#ifndef MLF_FUNCTIONS_HELP_H
#define MLF_FUNCTIONS_HELP_H

#include "base/registry.h"

extern const mlf_registry_help mlf_functions_help[];
extern const int mlf_functions_help_count;

#endif
