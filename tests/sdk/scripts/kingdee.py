"""Drive the simulated site with Kingdee's own library: argv is its address; what was seen comes out as JSON."""

import json
import sys

from k3cloud_webapi_sdk.main import K3CloudApiSdk

sdk = K3CloudApiSdk(sys.argv[1])
sdk.InitConfig("acct123", "user", "224543_abcdefghijklmnopqrstuvwxyzABCDEF", "appsecret123", sys.argv[1], 2052, 100)
line = {
    "FMaterialId": {"FNumber": "TEE"},
    "FUnitID": {"FNumber": "Pcs"},
    "FRealQty": 2,
    "FTaxPrice": 113,
    "FStockId": {"FNumber": "CK1"},
}
model = {
    "FBillTypeID": {"FNUMBER": "XSCKD01_SYS"},
    "FBillNo": "杭州-1",
    "FDate": "2026-11-23 00:00:00",
    "FSaleOrgId": {"FNumber": "100"},
    "FStockOrgId": {"FNumber": "100"},
    "FCustomerID": {"FNumber": "C1"},
    "FEntity": [line],
}


def told(answer):
    status = json.loads(answer)["Result"]["ResponseStatus"]
    return [status["IsSuccess"], status["MsgCode"]]


seen = {
    "saved": told(sdk.Save("SAL_OUTSTOCK", {"Model": model})),
    "again": told(sdk.Save("SAL_OUTSTOCK", {"Model": model})),
    "submitted": told(sdk.Submit("SAL_OUTSTOCK", {"Numbers": ["杭州-1"]})),
    "audited": told(sdk.Audit("SAL_OUTSTOCK", {"Numbers": ["杭州-1"]})),
    "found": json.loads(
        sdk.ExecuteBillQuery(
            {"FormId": "SAL_OUTSTOCK", "FieldKeys": "FBillNo,FDocumentStatus", "FilterString": "FBillNo = '杭州-1'"}
        )
    ),
}
sys.stdout.write(json.dumps(seen) + "\n")
