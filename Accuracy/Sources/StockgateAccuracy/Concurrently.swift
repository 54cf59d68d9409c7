import Dispatch

/// Runs `body` for 0..<count on all cores; what it gives is in the order of the numbers.
func concurrently<Result: Sendable>(_ count: Int, _ body: @Sendable (Int) -> Result) -> [Result] {
    [Result](unsafeUninitializedCapacity: max(count, 0)) { buffer, initialised in
        // Each element is written once, by one thread, and read when all have ended.
        nonisolated(unsafe) let results = buffer
        DispatchQueue.concurrentPerform(iterations: max(count, 0)) { number in
            results.initializeElement(at: number, to: body(number))
        }
        initialised = max(count, 0)
    }
}
