/// The version of this program; the package and `--version` show it.
public enum GatewayVersion {
    public static let text = "0.1.0"
}
