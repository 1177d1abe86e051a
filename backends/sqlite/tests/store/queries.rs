//! Pages and counts of queued flows read no completed ones.

use graceful::backends::{FlowFilter, FlowQuery, FlowState, FlowStore as _, Lane, QueuedFlow, Uuid};
use graceful_sqlite::Store;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::fresh;

/// The parts of the statements of a page and of a count, as `graceful-sql` writes them: the handlers of the state, then the rows of each
/// handler.
const STATEMENTS: [&str; 4] = [
    "SELECT substr(handler, 1, 200) FROM graceful_flows WHERE state = ? ORDER BY substr(handler, 1, 200) LIMIT 1",
    "SELECT substr(handler, 1, 200) FROM graceful_flows WHERE state = ? AND substr(handler, 1, 200) > ? \
     ORDER BY substr(handler, 1, 200) LIMIT 1",
    "SELECT * FROM graceful_flows WHERE state = 0 AND substr(handler, 1, 200) = ? ORDER BY stored_at DESC, id DESC LIMIT ?",
    "SELECT * FROM graceful_flows WHERE state = 0 AND substr(handler, 1, 200) = ? AND (stored_at, id) < (?, ?) \
     ORDER BY stored_at DESC, id DESC LIMIT ?",
];

/// 20,000 completed flows of three handlers, one of which has three queued ones too.
async fn filled(store: &Store) -> SqliteConnection {
    for number in 1..4 {
        let flow =
            QueuedFlow::new(Uuid::from_u128(number), format!("e{number}"), "h1", Lane::default(), Vec::new());
        store.enqueue(flow).await.unwrap();
    }
    let mut connection = SqliteConnection::connect(store.path().to_str().unwrap()).await.unwrap();
    let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000) \
        INSERT INTO graceful_flows (id, entity, handler, body, state, head, due, ended_at, stored_at) \
        SELECT randomblob(16), 'done ' || n, 'h' || (n % 3), zeroblob(100), 1, 0, n, n, n FROM n";
    sqlx::raw_sql(fill).execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn plan_of_queued_flows_searches_the_index_by_state_and_sorts_nothing() {
    let (_dir, store) = fresh().await;
    let mut connection = filled(&store).await;
    for analyze in ["", "ANALYZE"] {
        sqlx::raw_sql(analyze).execute(&mut connection).await.unwrap();
        for statement in STATEMENTS {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let plan = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
            let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
            let [step] = plan.as_slice() else { panic!("{statement}: {plan:?}") };
            let searches = step.starts_with("SEARCH graceful_flows USING")
                && step.contains("INDEX graceful_flows_by_handler (state=?");
            assert!(searches, "{statement}: {plan:?}");
        }
    }
}

#[tokio::test]
async fn page_and_count_of_queued_flows_contain_them_beside_completed_ones() {
    let (_dir, store) = fresh().await;
    let _connection = filled(&store).await;
    let page = store.flows(FlowQuery::new(FlowState::Queued, 2)).await.unwrap();
    assert_eq!(page.items.iter().map(|flow| flow.id.as_u128()).collect::<Vec<_>>(), [3, 2]);
    let rest = FlowQuery::new(FlowState::Queued, 2).continued(page.next.unwrap()).unwrap();
    assert_eq!(store.flows(rest).await.unwrap().items[0].id.as_u128(), 1);
    let queued = FlowFilter::from(FlowState::Queued);
    assert_eq!(store.count(queued, 10).await.unwrap().number, 3);
}
