//! Who asks: the account and the principal of the credentials.

use crate::aws::clients::Clients;
use crate::aws::draft::Draft;
use crate::aws::errors::trouble;
use crate::aws::operations::GET_CALLER_IDENTITY;
use crate::domain::poll::Identity;

/// GetCallerIdentity. It needs no permission, so a refusal speaks of the credentials themselves.
pub async fn identity(clients: &Clients) -> Draft {
    let mut draft = Draft::default();
    clients.turn(&GET_CALLER_IDENTITY).await;
    match clients.sts.get_caller_identity().send().await {
        Ok(answer) => draft.identity(Identity { account: answer.account, principal: answer.arn }),
        Err(error) => {
            draft.whole(&GET_CALLER_IDENTITY, trouble(&error, &GET_CALLER_IDENTITY, clients.place()));
        }
    }
    draft
}
