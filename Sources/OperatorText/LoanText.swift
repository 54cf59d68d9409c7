import SiteConfiguration

/// What the verbs about permits, loans, returns and rules say.
///
/// Ids that begin with `rule.`, `kept.`, `broken.`, `ground.`, `condition.`, `request.`, `verdict.` and `answer.` end in the code that
/// answers carry, so that a text is found by `LoanText.code`.
public enum LoanText: String, CaseIterable, Sendable, OperatorSentence {
    // Help.
    case helpPermit, helpPermitList, helpPermitShow, helpPermitRequest, helpPermitApprove, helpPermitReject, helpPermitWithdraw,
        helpPermitKey
    case helpRequestItem, helpRequestClass, helpRequestQuantity, helpRequestPurpose, helpRequestFrom, helpRequestUntil, helpRequestDue
    case helpLoan, helpLoanShow, helpLoanRenew, helpLoanReturn, helpLoanVoid, helpLoanTransfer, helpLoanLost, helpLoanNumber, helpLoanItem
    case helpTransferTo, helpItemKey, helpRemark, helpNoteWhy
    case helpReturn, helpReturnInspect, helpResult, helpMissing, helpPhoto, helpResponsible
    case helpTool, helpToolService
    case helpMay, helpMayMore, helpMayItem, helpMayStation, helpMayWith
    case helpCorrect, helpCorrectPerson, helpDismiss, helpExplainReference

    // Refusals of the command line itself, each with the next step.
    case errorLoan = "error.loan"
    case errorNothingAsked = "error.nothing_asked"
    case errorReference = "error.reference"
    case errorNoPermit = "error.no_permit"

    // Tables.
    case headPermit, headFrom, headUntil, headUsed, headPurpose, headRenewed, headCondition, headVerdict, headRule, headFigures
    case emptyPermits = "empty.permits"
    case requestPending = "request.pending"
    case requestApproved = "request.approved"
    case requestMaster = "request.master"
    case used
    case hintPermit = "hint.permit"
    case labelPurpose, labelApprovals, labelApprovers, labelRequestedBy, labelFrom, labelUntil, labelDue, labelUsed, labelState, labelWhat
    case nothingChanged

    // The story of a loan.
    case storyTitle, storyClosed, stillOut, stillOutRenewed, ground, flagged, doneBy, byHand, personUnknown
    case groundPermit = "ground.permit"
    case groundStanding = "ground.standing"
    case groundAllow = "ground.without_permit:allow"
    case groundFlag = "ground.without_permit:flag"
    case groundRefuse = "ground.without_permit:refuse"

    // What a verdict says.
    case mayAllow = "answer.allow"
    case mayFlag = "answer.flag"
    case mayRefuse = "answer.refuse"
    case personAllow = "answer.person.allow"
    case personFlag = "answer.person.flag"
    case personRefuse = "answer.person.refuse"
    case isOut, standing
    case verdictKept = "verdict.kept"
    case verdictAllow = "verdict.allow"
    case verdictFlag = "verdict.flag"
    case verdictRefuse = "verdict.refuse"

    // Conditions of tools.
    case conditionUninspected = "condition.uninspected"
    case conditionDamaged = "condition.damaged"
    case conditionIncomplete = "condition.incomplete"
    case conditionLost = "condition.lost"

    // Rules by name, kept and broken, with their figures.
    case ruleBlocked = "rule.blocked"
    case ruleOverdue = "rule.overdue"
    case ruleCredit = "rule.credit"
    case ruleCondition = "rule.condition"
    case ruleCalibration = "rule.calibration"
    case ruleCertificate = "rule.certificate"
    case ruleSecondPerson = "rule.second_person"
    case ruleQuota = "rule.quota"
    case ruleClassQuota = "rule.class_quota"
    case ruleValue = "rule.value"
    case ruleMonthly = "rule.monthly"
    case ruleHours = "rule.hours"
    case ruleMasterAge = "rule.master_age"
    case rulePermit = "rule.permit"
    case keptBlocked = "kept.blocked"
    case keptOverdue = "kept.overdue"
    case keptCredit = "kept.credit"
    case keptCondition = "kept.condition"
    case keptCalibration = "kept.calibration"
    case keptCertificate = "kept.certificate"
    case keptSecondPerson = "kept.second_person"
    case keptQuota = "kept.quota"
    case keptClassQuota = "kept.class_quota"
    case keptValue = "kept.value"
    case keptMonthly = "kept.monthly"
    case keptHours = "kept.hours"
    case keptMasterAge = "kept.master_age"
    case keptPermit = "kept.permit"
    case brokenBlocked = "broken.blocked"
    case brokenOverdue = "broken.overdue"
    case brokenCredit = "broken.credit"
    case brokenCondition = "broken.condition"
    case brokenCalibration = "broken.calibration"
    case brokenCertificate = "broken.certificate"
    case brokenSecondPerson = "broken.second_person"
    case brokenQuota = "broken.quota"
    case brokenClassQuota = "broken.class_quota"
    case brokenValue = "broken.value"
    case brokenMonthly = "broken.monthly"
    case brokenHours = "broken.hours"
    case brokenMasterAge = "broken.master_age"
    case brokenMasterUnknown = "broken.master_age.unknown"
    case brokenPermit = "broken.permit"

    /// The text for a code that an answer carries; the code itself, escaped, when this program is older than the daemon.
    public static func code(
        _ code: String?, of family: StaticString, _ language: Site.Language, _ values: [String: Printable] = [:]
    ) -> Printable {
        guard let code else { return "" }
        guard let text = LoanText(rawValue: "\(family).\(code)") else { return Printable(escaping: code, limit: 64) }
        return text(language, values)
    }
}
