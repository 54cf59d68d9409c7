#include "CNIOLinux.h"
