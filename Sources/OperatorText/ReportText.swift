/// What reports say: the verb `report`, its tables and its page.
public enum ReportText: String, CaseIterable, Sendable, OperatorSentence {
    // Help.
    case helpReport, helpReportLoans, helpReportLoansMore, helpMonth, helpFormat, helpDeadMonths, badMonth, badDeadMonths

    // Titles.
    case title, span, untimed, totals, people, classes, stations, mostWanted, useOfTools, deadStock, overdue, damage, lost, perDay, more,
        empty

    // Columns and figures.
    case none, person, itemClass, station, item, loan, loans, items, returned, onTime, late, meanDays, transferred, renewed, overdueNow
    case damaged, incomplete, lostItems, found, refused, hoursOut, utilisation, tools, received, taken, day, since, due, ended, last, never
    case result, percent, when

    public var forms: (english: String, chinese: String) {
        switch self {
        case .helpReport: ("Reports", "报表")
        case .helpReportLoans: ("Loans of one month, by person, class and station", "某月借用报表，按人员、类别和站点统计")
        case .helpReportLoansMore:
            (
                "Overdue, damage, lost, use of tools, what nobody borrows, what is wanted most. Example: stockgate report loans --month 2026-11 "
                    + "--format html > loans.html",
                "包括逾期、损坏、丢失、工具利用率、呆滞工具和需求排行。例如：stockgate report loans --month 2026-11 --format html > loans.html"
            )
        case .helpMonth: ("The month, for example 2026-11; else the present one", "月份，例如 2026-11；缺省为本月")
        case .helpFormat: ("table, csv, json or html", "输出格式：table、csv、json 或 html")
        case .helpDeadMonths: ("Dead stock is what nobody borrowed in so many months, 1 to 120", "多少个月无人借用即视为呆滞，1 至 120")
        case .badMonth: ("--month {value}: must be a month such as 2026-11", "--month {value}：必须是月份，例如 2026-11")
        case .badDeadMonths: ("--dead-months must be a number from 1 to 120", "--dead-months 必须是 1 至 120 的数字")

        case .title: ("Loans in {month}", "{month} 借用报表")
        case .span: ("{from} to {until}; open loans as of {as_of}", "{from} 至 {until}；未还情况截至 {as_of}")
        case .untimed:
            ("{count} items were lent while nobody knew the time: they are in no figure.", "有 {count} 件在时钟未知时借出，未计入任何数字。")
        case .totals: ("In all", "合计")
        case .people: ("By person", "按人员")
        case .classes: ("By class", "按类别")
        case .stations: ("By station", "按站点")
        case .mostWanted: ("Most wanted", "需求排行")
        case .useOfTools: ("Most used", "利用率排行")
        case .deadStock: ("Dead stock: not borrowed since {since}", "呆滞工具：自 {since} 起无人借用")
        case .overdue: ("Overdue", "逾期未还")
        case .damage: ("Damaged or incomplete", "损坏或缺件")
        case .lost: ("Lost", "丢失")
        case .perDay: ("Day by day", "每日情况")
        case .more: ("and {count} more: see --format json", "另有 {count} 条，见 --format json")
        case .empty: ("Nothing was lent in {month}.", "{month} 没有借用记录。")

        case .none: ("(none)", "（无）")
        case .person: ("Person", "人员")
        case .itemClass: ("Class", "类别")
        case .station: ("Station", "站点")
        case .item: ("Item", "工具")
        case .loan: ("Loan", "借用单")
        case .loans: ("Loans", "借用单数")
        case .items: ("Items", "借出件数")
        case .returned: ("Returned", "归还")
        case .onTime: ("On time", "按时")
        case .late: ("Late", "迟还")
        case .meanDays: ("Mean days", "平均天数")
        case .transferred: ("Handed over", "转借")
        case .renewed: ("Renewed", "续借")
        case .overdueNow: ("Overdue", "逾期")
        case .damaged: ("Damaged", "损坏")
        case .incomplete: ("Incomplete", "缺件")
        case .lostItems: ("Lost", "丢失")
        case .found: ("Found", "找回")
        case .refused: ("Refused", "被拒")
        case .hoursOut: ("Hours out", "借出小时")
        case .utilisation: ("In use", "利用率")
        case .tools: ("Tools", "工具数")
        case .received: ("Taken in", "本站收回")
        case .taken: ("Taken", "借出")
        case .day: ("Day", "日期")
        case .since: ("Since", "借出时间")
        case .due: ("Due", "应还时间")
        case .ended: ("Given up", "报失时间")
        case .last: ("Last out", "最近借用")
        case .never: ("never", "从未")
        case .result: ("Found to be", "检查结果")
        case .percent: ("{value} %", "{value}%")
        case .when: ("When", "时间")
        }
    }
}
