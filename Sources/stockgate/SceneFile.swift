import Readings
import SiteConfiguration

/// A file of JSON lines that is written piece by piece.
final class SceneFile {
    private let path: String
    private let language: Site.Language
    private let file: OutputFile
    private var buffer: [UInt8] = []

    init(_ path: String, _ language: Site.Language) throws {
        self.path = path
        self.language = language
        do throws(FileFailure) {
            file = try OutputFile(path)
        } catch {
            throw CommandFailure.file(path, error.description, language)
        }
    }

    func write(_ line: JSON) throws {
        buffer += line.canonicalBytes
        buffer.append(0x0A)
        if buffer.count > 1 << 16 { try close() }
    }

    /// Writes what waits.
    func close() throws {
        do throws(FileFailure) {
            try buffer.withUnsafeBufferPointer { (bytes) throws(FileFailure) in try file.write(bytes) }
        } catch {
            throw CommandFailure.file(path, error.description, language)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
