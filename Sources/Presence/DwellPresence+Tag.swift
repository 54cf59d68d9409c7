import Identifiers
import Readings

extension DwellPresence.Tag {
    /// The unread time after which the tag is gone.
    ///
    /// 15 times the mean gap, for the gaps of a tag on a body have a long tail.
    func timeout(_ settings: DwellPresence.Settings) -> Instant.Span {
        let span = Instant.Span(nanoseconds: meanGap &* 1_000 &* settings.gapFactor)
        return min(max(span, settings.shortestTimeout), settings.longestTimeout)
    }

    private func hasMoved(within memory: Instant.Span) -> Bool { lastMoved.map { last - $0 <= memory } ?? false }

    mutating func take(
        _ read: TagRead, source: Int, at now: Instant, settings: DwellPresence.Settings, events: inout [DwellEvent]
    ) {
        // Late, or delivered twice.
        guard now >= last else { return }
        let gap = now - last
        learn(gap, longest: settings.longestTimeout)
        if gap > settings.steadyPause { steadyFrom = now }
        last = now
        if motion.observe(read, at: now) == .moving { lastMoved = now }
        // A reader that tells neither signal nor phase cannot show movement: every tag is believed.
        if read.rssi == TagRead.noRSSI, read.phase == nil { lastMoved = now }
        let isStrong = settings.floor.map { read.rssi == TagRead.noRSSI || read.rssi >= $0 } ?? true
        guard isStrong else { return }
        sources = isPresent ? sources | 1 << UInt64(source & 63) : 1 << UInt64(source & 63)
        if isPresent {
            if isFading {
                isFading = false
                isChanged = true
                if !isUnstable, isTold {
                    events.append(event(.resumed, of: read.epc, last: now, reads: reads + 1))
                }
            }
            reads += 1
            lastStrong = max(lastStrong, now)
            quietFrom = max(quietFrom, now)
            tellArrival(epc: read.epc, settings: settings, at: now, events: &events)
        } else if becomesPresent(read, at: now, settings: settings) {
            isPresent = true
            isTold = false
            (first, lastStrong, quietFrom) = (candidateFirst, now, now)
            reads = candidateReads
            candidateReads = 0
            isChanged = true
            if !isUnstable {
                events.append(event(.noticed, of: read.epc))
                tellArrival(epc: read.epc, settings: settings, at: now, events: &events)
            }
        }
    }

    private mutating func becomesPresent(_ read: TagRead, at now: Instant, settings: DwellPresence.Settings) -> Bool {
        if candidateReads == 0 || now - candidateFirst > settings.arrivalSpan {
            (candidateReads, candidateFirst, candidateSignal) = (0, now, 0)
        }
        candidateReads += 1
        candidateSignal += read.rssi == TagRead.noRSSI ? 0 : Int(read.rssi)
        guard candidateReads >= settings.arrivalReads, now - candidateFirst >= settings.cycle else { return false }
        guard let floor = settings.floor, read.rssi != TagRead.noRSSI else { return true }
        return candidateSignal >= candidateReads * (Int(floor) + Int(settings.hysteresis))
    }

    /// Says that it arrived, once it was seen to move and has stayed; an unstable tag first must be steady.
    private mutating func tellArrival(
        epc: EPC, settings: DwellPresence.Settings, at now: Instant, events: inout [DwellEvent]
    ) {
        guard !isTold, hasMoved(within: settings.memory), now - first >= settings.leastStay else { return }
        if isUnstable {
            guard now - steadyFrom >= settings.steadySpan else { return }
            isUnstable = false
            ends = []
        }
        isTold = true
        isChanged = true
        events.append(event(.arrived, of: epc))
    }

    /// When the stay ends, if nothing more is read: provisionally, or for good.
    func end(_ settings: DwellPresence.Settings) -> Instant { quietFrom + (isFading ? settings.longestTimeout : timeout(settings)) }

    /// Says that the stay is over, though not yet for good.
    mutating func fade(epc: EPC, settings: DwellPresence.Settings, events: inout [DwellEvent]) {
        isFading = true
        isChanged = true
        if motion.finishWindow() == .moving { lastMoved = last }
        if !isUnstable, quietFrom + timeout(settings) < quietFrom + settings.longestTimeout {
            events.append(ending(epc: epc, .provisional, settings))
        }
        ends.append(lastStrong)
        ends.removeAll { lastStrong - $0 > settings.flipSpan }
        guard ends.count > settings.flips else { return }
        ends.removeFirst(ends.count - settings.flips)
        if !isUnstable {
            isUnstable = true
            events.append(event(.unstable, of: epc))
        }
    }

    mutating func finish(epc: EPC, settings: DwellPresence.Settings, events: inout [DwellEvent]) {
        if !isUnstable { events.append(ending(epc: epc, .final, settings)) }
        (isPresent, isFading) = (false, false)
        isChanged = true
        candidateReads = 0
        sources = 0
    }

    private func ending(epc: EPC, _ certainty: Certainty, _ settings: DwellPresence.Settings) -> DwellEvent {
        let wasBrief = lastStrong - first < settings.leastStay
        let kind: DwellEvent.Kind = isTold ? .departed : hasMoved(within: settings.memory) && wasBrief ? .passed : .lost
        return event(kind, of: epc, certainty)
    }

    private func event(
        _ kind: DwellEvent.Kind, of epc: EPC, _ certainty: Certainty = .final, last: Instant? = nil, reads: Int? = nil
    ) -> DwellEvent {
        DwellEvent(
            epc: epc, kind: kind, certainty: certainty, first: first, last: last ?? lastStrong, reads: reads ?? self.reads,
            meanGap: Instant.Span(nanoseconds: meanGap &* 1_000))
    }

    /// A gap after which the tag was there again was no departure, up to the longest time-out.
    private mutating func learn(_ gap: Instant.Span, longest: Instant.Span) {
        guard gap > .zero, gap <= longest else { return }
        meanGap += (gap.nanoseconds / 1_000 - meanGap) / 16
    }
}
