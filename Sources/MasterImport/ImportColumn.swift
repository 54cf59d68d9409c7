import Ledger

/// One column that a file of a set may have: which member it fills, how its values are checked, and how people call it.
struct ImportColumn: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case text
        case key
        /// Digits of one width, as badge and employee numbers are.
        case number
        /// Several of them.
        case numbers
        case code
        case codes
        case epc
        case epcs
        case gtin
        case gln
        case integer
        case boolean
        case date
        case list
        /// `NAME=YYYY-MM-DD` or `NAME`, several of them.
        case held
        /// `en` or `zh`, or the language's name.
        case language
    }

    /// The member of the row; `id`, `deleted`, `badge` (a row of `credentials`) and `epc` (a row of `tags`) besides those of the schema.
    var member: String
    var kind: Kind
    var aliases: [String]

    init(_ member: String, _ kind: Kind, _ aliases: String...) {
        self.member = member
        self.kind = kind
        self.aliases = aliases
    }

    /// A header without what people put around and into it.
    static func normalised(_ header: String) -> String {
        header.lowercased().filter { !$0.isWhitespace && !"_-.*:：()（）".contains($0) }
    }

    static func columns(of set: MasterRow.Set) -> [ImportColumn] {
        (table[set] ?? []) + [ImportColumn("deleted", .boolean, "delete", "删除", "已删除", "是否删除")]
    }

    static func column(named header: String, of set: MasterRow.Set) -> ImportColumn? {
        let name = normalised(header)
        return columns(of: set).first { column in
            normalised(column.member) == name || column.aliases.contains { normalised($0) == name }
        }
    }

    /// The set that a file is named after: `people.csv`, `人员-2026.csv`, `10-people.csv`.
    static func set(fileName: String) -> MasterRow.Set? {
        let name = fileName.split(separator: "/").last ?? ""
        let isOrder: (Character) -> Bool = { $0.isNumber || "-_ .(（".contains($0) }
        let stem = name.lowercased().drop(while: isOrder).prefix { !isOrder($0) }
        return names.first { $0.value.contains(String(stem)) }?.key
    }

    /// The set of a member of `{"items":[…]}`.
    static func set(named name: String) -> MasterRow.Set? { names.first { $0.value.contains(name.lowercased()) }?.key }

    private static let names: [MasterRow.Set: [String]] = [
        .people: ["people", "persons", "employees", "staff", "人员", "员工", "人员表", "员工表"],
        .credentials: ["credentials", "badges", "cards", "卡", "卡号", "工牌", "门禁卡"],
        .classes: ["classes", "categories", "类别", "分类"],
        .days: ["days", "holidays", "calendar", "日历", "节假日"],
        .items: ["items", "tools", "assets", "工具", "物品", "资产", "工具表"],
        .products: ["products", "goods", "产品", "物料", "商品"],
        .locations: ["locations", "shelves", "bins", "库位", "货位", "位置"],
        .permits: ["permits", "requests", "借用申请", "借入申请", "申请"],
        .tags: ["tags", "epcs", "标签"],
        .codes: ["codes", "barcodes", "条码", "条形码", "二维码"],
    ]

    private static let bearers: [ImportColumn] = [
        ImportColumn("item", .key, "tool", "物品", "物品编号", "工具", "工具编号", "资产编号"),
        ImportColumn("person", .number, "employee", "employee number", "人员", "工号", "员工号", "员工编号"),
        ImportColumn("product", .key, "sku", "产品", "物料", "料号", "物料号", "物料编码"),
        ImportColumn("location", .key, "bin", "shelf", "库位", "库位号", "库位编号", "货位"),
    ]

    private static let table: [MasterRow.Set: [ImportColumn]] = [
        .people: [
            ImportColumn(
                "id", .number, "number", "employee", "employee number", "employee no", "staff no", "工号", "编号", "员工号", "员工编号", "人员编号"),
            ImportColumn("key", .key),
            ImportColumn("name", .text, "full name", "姓名", "名字", "名称"),
            ImportColumn("badge", .numbers, "badges", "badge number", "card", "card number", "card no", "卡号", "工卡号", "工牌号", "门禁卡号"),
            ImportColumn("blocked", .boolean, "停用", "是否停用", "冻结", "禁用"),
            ImportColumn("quota", .integer, "limit", "限额", "借用上限", "最大借用数"),
            ImportColumn("certificates", .held, "certificate", "qualifications", "资质", "证书"),
            ImportColumn("email", .key, "mail", "email address", "邮箱", "电子邮箱", "电子邮件", "邮件地址"),
            ImportColumn("language", .language, "语言", "语种"),
            ImportColumn("supervisor", .number, "manager", "superior", "主管", "主管工号", "上级", "上级工号", "直属上级"),
        ],
        .classes: [
            ImportColumn("id", .key, "class", "category", "类别", "分类", "编号"),
            ImportColumn("name", .text, "description", "名称", "类别名称"),
            ImportColumn("due_days", .integer, "days", "loan days", "借期", "借用天数"),
            ImportColumn("working_days", .boolean, "按工作日"),
            ImportColumn("value", .integer, "价值", "单价"),
            ImportColumn("quota", .integer, "limit", "限额", "借用上限"),
            ImportColumn("certificates", .list, "certificate", "资质", "证书"),
            ImportColumn("inspect", .boolean, "inspection", "归还检验", "检验"),
            ImportColumn("standing", .boolean, "免审批"),
            ImportColumn("second_person", .boolean, "双人"),
            ImportColumn("renewals", .integer, "续借次数"),
            ImportColumn("maintenance_uses", .integer, "保养次数"),
            ImportColumn("maintenance_hours", .integer, "保养小时"),
        ],
        .days: [
            ImportColumn("id", .date, "day", "date", "日期"), ImportColumn("working", .boolean, "workday", "工作日", "是否工作日"),
            ImportColumn("name", .text, "名称", "节日"),
        ],
        .credentials: [
            ImportColumn("id", .number, "badge", "badge number", "card", "card number", "card no", "卡号", "工卡号", "工牌号", "门禁卡号"),
            ImportColumn("person", .number, "employee", "employee number", "number", "工号", "员工号", "员工编号", "人员", "人员编号"),
        ],
        .items: [
            ImportColumn("id", .key, "item", "item number", "tool", "asset", "编号", "工具编号", "物品编号", "资产编号"),
            ImportColumn("name", .text, "description", "名称", "品名", "工具名称", "物品名称"),
            ImportColumn("class", .key, "category", "type", "类别", "分类", "类型"),
            ImportColumn("due_days", .integer, "days", "loan days", "借期", "借用天数", "归还天数"),
            ImportColumn("code", .codes, "codes", "barcode", "barcodes", "条码", "条形码", "二维码"),
            ImportColumn("epc", .epcs, "epcs", "tag", "tags", "rfid", "标签", "标签号", "电子标签"),
            ImportColumn("gs1", .code), ImportColumn("uri", .code), ImportColumn("value", .integer, "price", "价值", "单价", "原值"),
            ImportColumn("certificates", .list, "certificate", "资质", "证书"),
            ImportColumn("calibration_due", .date, "calibration", "校准有效期", "检定有效期"),
            ImportColumn("parts", .list, "kit", "组成", "配件"), ImportColumn("home", .key, "location", "存放位置", "库位"),
        ],
        .products: [
            ImportColumn("id", .key, "product", "sku", "article", "编号", "产品编号", "物料号", "料号", "物料编码"),
            ImportColumn("name", .text, "description", "名称", "品名", "产品名称", "物料名称"),
            ImportColumn("gtin", .gtin, "ean", "upc", "商品条码"),
            ImportColumn("code", .codes, "codes", "barcode", "barcodes", "条码", "条形码", "二维码"),
        ],
        .locations: [
            ImportColumn("id", .key, "location", "bin", "shelf", "编号", "库位", "库位号", "库位编号", "货位", "货位号"),
            ImportColumn("name", .text, "description", "名称", "库位名称", "货位名称"),
            ImportColumn("gln", .gln, "位置码"),
            ImportColumn("code", .codes, "codes", "barcode", "barcodes", "条码", "条形码", "二维码"),
            ImportColumn("epc", .epcs, "epcs", "tag", "tags", "rfid", "标签", "标签号", "电子标签"),
            ImportColumn("gs1", .code), ImportColumn("uri", .code),
        ],
        .permits: [
            ImportColumn("id", .key, "permit", "request", "单号", "申请单号", "申请编号", "编号"),
            ImportColumn("person", .number, "employee", "employee number", "borrower", "工号", "员工号", "借用人", "申请人", "领用人"),
            ImportColumn("items", .list, "item", "tools", "物品", "工具", "物品编号", "工具编号"),
            ImportColumn("classes", .list, "class", "category", "类别", "分类"),
            ImportColumn("quantity", .integer, "数量"),
            ImportColumn("from", .date, "start", "开始日期", "起始日期", "生效日期"),
            ImportColumn("until", .date, "end", "valid until", "截止日期", "结束日期", "有效期至"),
            ImportColumn("due", .date, "due date", "归还日期", "应还日期"),
            ImportColumn("purpose", .text, "reason", "用途", "借用事由"), ImportColumn("approvers", .list, "approver", "审批人"),
        ],
        .tags: [ImportColumn("id", .epc, "epc", "tag", "rfid", "标签", "标签号", "电子标签")] + bearers,
        .codes: [ImportColumn("id", .code, "code", "barcode", "条码", "条形码", "二维码")] + bearers,
    ]
}
