import Readings

/// What a backup holds: `manifest.json` in its folder, signed by the gateway.
public struct BackupManifest: Hashable, Sendable {
    struct File: Hashable, Sendable {
        var name: String
        var bytes: Int64
        /// SHA-256, 64 lower-case hexadecimal digits.
        var digest: String
    }

    public var gateway: String
    public var epoch: UInt64
    /// The number of the newest event in it, and its hash.
    public var last: Int64
    public var lastHash: String
    /// RFC 3339, in UTC, by the machine's clock, which may have been wrong.
    public var created: String
    /// Counts the backups of the gateway in one folder from 1 on: their order, whatever the clock said.
    public var number: Int64 = 0
    /// What was found wrong with the store when it was copied; nil: nothing.
    public var problem: String?
    var files: [File]
    /// Files of the archive, in the folder `archive` beside the backups, under `ArchiveCheckpoint.backupName`.
    var archives: [File]
    var signer: String
    var signature = ""

    static let fileName = "manifest.json"
    /// The files that a backup can have.
    private static let names: Set<String> = ["events.db", "master.db", "gateway.key"]

    func file(_ name: String) -> File? { files.first { $0.name == name } }

    /// The name in a state directory, `FIRST-LAST.ndjson`, of a file that stands beside the backups; nil when it is none of this gateway.
    static func archiveName(_ file: File, gateway: String) -> String? {
        let ending = "-\(file.digest.prefix(16)).ndjson"
        guard file.digest.utf8.count == 64, file.name.hasPrefix("\(gateway)-"), file.name.hasSuffix(ending) else { return nil }
        let range = file.name.dropFirst(gateway.count + 1).dropLast(ending.count).split(separator: "-", omittingEmptySubsequences: false)
        guard range.count == 2, range.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
        return "\(range[0])-\(range[1]).ndjson"
    }

    var signedBytes: [UInt8] { JSON.object(members).canonicalBytes }
    var json: JSON { .object(members.merging(["signature": .string(signature)]) { $1 }) }

    private var members: [String: JSON] {
        func list(_ files: [File]) -> JSON {
            .array(files.map { ["name": .string($0.name), "bytes": .integer($0.bytes), "sha256": .string($0.digest)] })
        }
        return JSON.compact([
            "backup": 1, "gateway": .string(gateway), "epoch": .string(StoreEpoch.text(epoch)), "last": .integer(last),
            "hash": .string(lastHash), "created": .string(created), "files": list(files), "archive": list(archives),
            "signer": .string(signer), "number": .integer(number), "problem": problem.map(JSON.string),
        ]).object ?? [:]
    }

    init(
        gateway: String, epoch: UInt64, last: Int64, lastHash: String, created: String, files: [File] = [], archives: [File], signer: String
    ) {
        self.gateway = gateway
        self.epoch = epoch
        self.last = last
        self.lastHash = lastHash
        self.created = created
        self.files = files
        self.archives = archives
        self.signer = signer
    }

    /// Reads the manifest in a folder, and looks at the signature.
    init(folder: String) throws(StoreError) {
        let path = "\(folder)/\(Self.fileName)"
        let bytes: [UInt8]
        do throws(StoreError) { bytes = try StoreFiles.read(path) } catch {
            throw StoreError(.badBackup, "\(path) cannot be read", errorNumber: error.errorNumber)
        }
        func files(_ json: JSON?, _ isExpected: (File) -> Bool) -> [File]? {
            var files: [File] = []
            for entry in json?.array ?? [] {
                // Names come from a file that anybody may have written: they lead nowhere else.
                guard let name = entry["name"]?.string, let count = entry["bytes"]?.integer, let digest = entry["sha256"]?.string else {
                    return nil
                }
                let file = File(name: name, bytes: count, digest: digest)
                guard isExpected(file), !files.contains(where: { $0.name == name }) else { return nil }
                files.append(file)
            }
            return files
        }
        guard let json = try? JSON(parsing: bytes), json["backup"] == 1, let gateway = json["gateway"]?.string,
            let epoch = json["epoch"]?.string.flatMap(StoreEpoch.value), let last = json["last"]?.integer, let hash = json["hash"]?.string,
            let created = json["created"]?.string, let held = files(json["files"], { Self.names.contains($0.name) }),
            held.contains(where: { $0.name == "events.db" }),
            let archives = files(json["archive"], { Self.archiveName($0, gateway: gateway) != nil }),
            let signer = json["signer"]?.string, let signature = json["signature"]?.string
        else { throw StoreError(.badBackup, "\(path) is no manifest of a backup") }
        self.init(
            gateway: gateway, epoch: epoch, last: last, lastHash: hash, created: created, files: held, archives: archives, signer: signer)
        self.signature = signature
        number = json["number"]?.integer ?? 0
        problem = json["problem"]?.string
        guard GatewayKey.isGenuine(signature, of: signedBytes, signer: signer) else {
            throw StoreError(.badBackup, "\(path) was changed after it was signed")
        }
    }

    /// Signs it and writes it to a folder.
    mutating func write(to folder: String, _ key: GatewayKey) throws(StoreError) {
        signer = key.publicHex
        signature = try key.signature(of: signedBytes)
        try StoreFiles.write(json.canonicalBytes + [0x0A], to: "\(folder)/\(Self.fileName)", mode: 0o600)
    }

    /// Compares every file with what the manifest says.
    func check(folder: String) throws(StoreError) {
        let parent = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "."
        for (file, path) in files.map({ ($0, "\(folder)/\($0.name)") }) + archives.map({ ($0, "\(parent)/archive/\($0.name)") }) {
            let found: FileDigest
            do throws(StoreError) { found = try FileDigest(of: path) } catch {
                throw StoreError(.badBackup, "\(path) cannot be read", errorNumber: error.errorNumber)
            }
            guard found == FileDigest(bytes: file.bytes, hex: file.digest) else {
                throw StoreError(.badBackup, "\(path) is not what the manifest says")
            }
        }
    }
}
