use super::Figure;

/// The results of a case, per operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseResult {
    /// The case's id.
    pub id: &'static str,
    /// By round. The cases of an area took turns in each round.
    pub nanoseconds: Vec<f64>,
    /// The number of allocations, if counted.
    pub allocations: Option<f64>,
    /// The number of allocated bytes, if counted.
    pub bytes: Option<f64>,
    /// The number of instructions, if counted.
    pub instructions: Option<f64>,
    /// The figures of the case.
    pub figures: Vec<Figure>,
}
