// Apart from CLinux.c because <asm/termbits.h> and <termios.h> both define struct termios.
#include "CLinux.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <sys/ioctl.h>

int clinux_set_line_speed(int fd, uint32_t baud) {
    struct termios2 line;
    if (ioctl(fd, TCGETS2, &line) != 0) return -1;
    // Input speed in the bits above IBSHIFT; zero there means "as output".
    line.c_cflag &= ~(CBAUD | (CBAUD << IBSHIFT));
    line.c_cflag |= BOTHER;
    line.c_ispeed = baud;
    line.c_ospeed = baud;
    return ioctl(fd, TCSETS2, &line);
}

int clinux_get_line_speed(int fd, uint32_t *baud) {
    struct termios2 line;
    if (ioctl(fd, TCGETS2, &line) != 0) return -1;
    *baud = line.c_ospeed;
    return 0;
}
