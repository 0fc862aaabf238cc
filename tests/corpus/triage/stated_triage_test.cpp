#include "corpus/triage/triage_run.hpp"
