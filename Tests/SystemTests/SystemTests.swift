import Testing

/// The whole product: the unmodified programs, on devices that are simulated at the level of the operating system. One story after the
/// other, because each keeps the machine busy.
@Suite(.serialized, .timeLimit(.minutes(20)))
enum SystemTests {}
