import GRDB

extension Row {
    /// A column of a file that may be damaged.
    /// - Throws: when it is of another type; the plain subscripts end the process then.
    func checked<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ index: Int) throws -> Value {
        try decode(Value.self, atIndex: index)
    }
}
