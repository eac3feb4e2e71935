//! Who asks: the account, what it is called, and the principal of the credentials.

use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::errors::{one_line, trouble};
use crate::aws::operations::{GET_CALLER_IDENTITY, LIST_ACCOUNT_ALIASES};
use crate::domain::poll::Identity;

/// What a failure means for the screen: from within many private networks IAM is never reached.
const NOTHING_ELSE: &str = "Nothing but the account's alias is missing for it.";

/// GetCallerIdentity needs no permission, so a refusal speaks of the credentials themselves. ListAccountAliases needs
/// one, and without it the account is known all the same.
pub async fn identity(clients: &Clients) -> Draft {
    let mut draft = Draft::default();
    clients.turn(&GET_CALLER_IDENTITY).await;
    match clients.sts.get_caller_identity().send().await {
        Ok(answer) => {
            let alias = alias(clients, &mut draft).await;
            draft.identity(Identity { account: answer.account, alias, principal: answer.arn });
        }
        Err(error) => {
            draft.whole(&GET_CALLER_IDENTITY, trouble(&error, &GET_CALLER_IDENTITY, clients.place()));
        }
    }
    draft
}

/// The account's alias, of which AWS allows one.
async fn alias(clients: &Clients, draft: &mut Draft) -> Option<String> {
    clients.turn(&LIST_ACCOUNT_ALIASES).await;
    match clients.iam.list_account_aliases().send().await {
        Ok(answer) => answer.account_aliases.first().map(|alias| one_line(alias)).filter(|alias| !alias.is_empty()),
        Err(error) => {
            let mut trouble = trouble(&error, &LIST_ACCOUNT_ALIASES, clients.place());
            trouble.sentence = format!("{} {NOTHING_ELSE}", trouble.sentence);
            draft.whole(&LIST_ACCOUNT_ALIASES, trouble);
            None
        }
    }
}
